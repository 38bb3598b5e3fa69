/**
 * Who is at work on an index. A run that holds the lease beats: it rewrites one object with a
 * counter, by compare-and-swap. Whoever comes meanwhile watches whether the object changes, for so many
 * pauses of its own; no clock of one machine is compared with another's.
 *
 * The lease only saves work. A run that lost it without noticing does no harm: which version
 * becomes current is settled by the compare-and-swap of the pointer alone (decision 0013).
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as timeout } from "node:timers/promises";
import { flag, integer, object, oneOf, text } from "../../shared/format/shape.ts";
import { toHex } from "../../shared/hash.ts";
import { checkIndexName } from "../../shared/store/keys.ts";
import type { StoredObject, WriteStore } from "../../shared/store/store.ts";

/** Milliseconds between two beats, and between two looks of whoever watches. R2 takes one write a second for a key. */
export const BEAT_MS = 5000;
/** Milliseconds that a lease must stay unchanged before it is taken over: twelve beats, for a holder that computes without a break. */
export const LOCK_WAIT_MS = 60_000;

/** The content of a lease. */
export interface LeaseRecord {
  readonly format: 1;
  /** 128 random bits of the run, in hexadecimal. */
  readonly holder: string;
  /** From 0, one more with every beat. */
  readonly beat: number;
  /** Where the run is: the machine's name and the number of the process. */
  readonly host: string;
  readonly process: number;
  /** When the run began, by its own clock: for people to read, compared with nothing. */
  readonly started: string;
  /** True once the run has ended. */
  readonly released: boolean;
}

/** A lease that is held, and beats. */
export interface Lease {
  /** True once another run has taken it over. */
  readonly lost: boolean;
  /** Ends the beats and gives the lease back, unless it was lost. Never throws. */
  release(): Promise<void>;
}

/** What came of asking for a lease. */
export type LeaseOutcome =
  | { readonly kind: "held"; readonly lease: Lease }
  /** Another run is at work; null where what it wrote cannot be read. */
  | { readonly kind: "busy"; readonly holder: LeaseRecord | null };

/** What a lease takes from the world around it. */
export interface LeasePorts {
  randomBytes(length: number): Uint8Array;
  /** Resolves after so many milliseconds, or at once when the signal is given. */
  pause(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Shown to people only. */
  now(): Date;
  readonly host: string;
  readonly process: number;
  /** Whether the process with this number runs on this machine. */
  isRunning(process: number): boolean;
}

/** How to ask. */
export interface LeaseOptions {
  /** Milliseconds that another's lease is watched before it is taken over; `LOCK_WAIT_MS` when absent. */
  readonly wait?: number;
  /** Told when the lease is lost or cannot be given back, and when another's is being watched. */
  readonly warn: (message: string) => void;
}

const PORTS: LeasePorts = {
  randomBytes,
  pause: (milliseconds, signal) =>
    timeout(milliseconds, undefined, signal === undefined ? {} : { signal, ref: false }).catch(
      (error: unknown) => {
        if (signal?.aborted !== true) throw error;
      },
    ),
  now: () => new Date(),
  host: hostname(),
  process: process.pid,
  isRunning(number) {
    try {
      // Signal 0 is never delivered.
      return process.kill(number, 0);
    } catch (error) {
      return !(error instanceof Error && "code" in error && error.code === "ESRCH");
    }
  },
};

const checkRecord = object<LeaseRecord>({
  format: oneOf([1]),
  holder: text(32, 32),
  beat: integer(0, Number.MAX_SAFE_INTEGER),
  host: text(256),
  process: integer(0, Number.MAX_SAFE_INTEGER),
  started: text(64),
  released: flag,
});

/** Where an index's lease lies. */
export function leaseKey(index: string): string {
  return `indexes/${index}/lease.json`;
}

/**
 * Asks for the lease of an index: at once where there is none, it was given back, or its process
 * died on this machine; else after watching it without a change. Throws what the store throws.
 */
export async function acquireLease(
  store: WriteStore,
  index: string,
  options: LeaseOptions,
  ports: LeasePorts = PORTS,
): Promise<LeaseOutcome> {
  checkIndexName(index);
  const key = leaseKey(index);
  const found = await watch(store, key, options, ports);
  if (found.kind === "busy") return found;
  const record: LeaseRecord = {
    format: 1,
    holder: toHex(ports.randomBytes(16)),
    beat: 0,
    host: ports.host.slice(0, 256),
    process: ports.process,
    started: ports.now().toISOString(),
    released: false,
  };
  const swapped = await swap(store, key, record, found.etag);
  if (swapped.etag === null) return { kind: "busy", holder: swapped.holder };
  return { kind: "held", lease: new Beating(store, key, record, swapped.etag, options, ports) };
}

/** Says in one sentence who is at work. */
export function describeHolder(index: string, holder: LeaseRecord | null): string {
  if (holder === null) return `Another run is at work on ${index}.`;
  const { host, process, started } = holder;
  return `Another run is at work on ${index}: process ${process} on ${host}, since ${started} by its clock.`;
}

type Watched =
  | { readonly kind: "free"; readonly etag: string | null }
  | { readonly kind: "busy"; readonly holder: LeaseRecord | null };

async function watch(
  store: WriteStore,
  key: string,
  { wait = LOCK_WAIT_MS, warn }: LeaseOptions,
  ports: LeasePorts,
): Promise<Watched> {
  const first = await store.get(key);
  if (first === null) return { kind: "free", etag: null };
  const record = recordIn(first);
  const died = record?.host === ports.host && !ports.isRunning(record.process);
  if (record?.released || died) return { kind: "free", etag: first.etag };
  if (wait > 0) warn(`The lease ${key} is held; looking for ${wait / 1000} s whether its run is alive.`);
  for (let left = wait; left > 0; left -= BEAT_MS) {
    await ports.pause(Math.min(left, BEAT_MS));
    const now = await store.get(key);
    if (now?.etag === first.etag) continue;
    const changed = now === null ? null : recordIn(now);
    if (now === null || changed?.released) return { kind: "free", etag: now?.etag ?? null };
    return { kind: "busy", holder: changed };
  }
  return { kind: "free", etag: first.etag };
}

/** The record, or null for what is not one: a newer version's, say. It can be watched all the same. */
function recordIn({ body }: StoredObject): LeaseRecord | null {
  try {
    return checkRecord(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)), "lease");
  } catch {
    return null;
  }
}

type Swapped =
  | { readonly etag: string }
  /** It is another's now. */
  | { readonly etag: null; readonly holder: LeaseRecord | null };

/** Writes over the version with this tag, or where nothing is. */
async function swap(
  store: WriteStore,
  key: string,
  record: LeaseRecord,
  etag: string | null,
): Promise<Swapped> {
  const body = new TextEncoder().encode(`${JSON.stringify(record)}\n`);
  let tag = etag;
  for (;;) {
    const outcome = await (tag === null ? store.putIfAbsent(key, body) : store.putIfMatch(key, body, tag));
    if (outcome.kind === "written") return { etag: outcome.etag };
    // The conflict may be with a write of our own whose answer was lost: this one, repeated by a client
    // below us, or the one before.
    const now = await store.get(key);
    const holder = now === null ? null : recordIn(now);
    if (now === null || holder?.holder !== record.holder) return { etag: null, holder };
    if (holder.beat === record.beat && holder.released === record.released) return { etag: now.etag };
    tag = now.etag;
  }
}

class Beating implements Lease {
  readonly #store: WriteStore;
  readonly #key: string;
  readonly #warn: (message: string) => void;
  readonly #stop = new AbortController();
  readonly #beats: Promise<void>;
  #record: LeaseRecord;
  #etag: string;
  lost = false;

  constructor(
    store: WriteStore,
    key: string,
    record: LeaseRecord,
    etag: string,
    { warn }: LeaseOptions,
    ports: LeasePorts,
  ) {
    this.#store = store;
    this.#key = key;
    this.#warn = warn;
    this.#record = record;
    this.#etag = etag;
    this.#beats = this.#beat(ports);
  }

  async release(): Promise<void> {
    this.#stop.abort();
    await this.#beats;
    if (this.lost) return;
    try {
      await this.#write({ released: true });
    } catch {
      this.#warn(`The lease ${this.#key} could not be given back; the next run will watch it for a while.`);
    }
  }

  async #beat(ports: LeasePorts): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      await ports.pause(BEAT_MS, signal);
      if (signal.aborted || this.lost) return;
      try {
        await this.#write({});
      } catch {
        // The store is away, and whether the beat landed is not known: the next one finds out.
      }
    }
  }

  async #write(change: Partial<LeaseRecord>): Promise<void> {
    const next = { ...this.#record, beat: this.#record.beat + 1, ...change };
    const { etag } = await swap(this.#store, this.#key, next, this.#etag);
    if (etag === null) {
      this.lost = true;
      this.#warn(
        `The lease ${this.#key} was taken over by another run. This one goes on; the first to publish wins.`,
      );
      return;
    }
    this.#record = next;
    this.#etag = etag;
  }
}
