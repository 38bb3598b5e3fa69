/**
 * The indexes that this isolate holds. One load per index at a time, whoever asks; the
 * least recently used make room before another is loaded; a loaded index is served while
 * its pointer and its inbox are looked at again in the background.
 */

import type { OpenIndex, WaitingWrite } from "../shared/engine/api.ts";
import { type Claim, MemoryBudget } from "../shared/engine/budget.ts";
import { LightedgeError } from "../shared/errors.ts";
import { isHeld } from "../shared/inbox/held.ts";
import { mergeWrites } from "./waiting.ts";

/** Keeps work alive after its request has been answered or given up, as `ctx.waitUntil` does. */
export interface Background {
  waitUntil(work: Promise<unknown>): void;
}

/** Where indexes come from. A name is whatever tells one from another; the cache takes it for nothing more. */
export interface IndexSource {
  /**
   * Loads the current version. `room` is asked once, before anything is loaded, with the resident bytes that will be
   * needed, and gives those that may be taken. Throws `index/too-large` where that is fewer.
   */
  open(name: string, room: (neededBytes: number) => number): Promise<OpenIndex>;
  /** What `OpenIndex.version` of the current version would be. Throws `index/not-found`. Cost: one read. */
  currentVersion(name: string): Promise<string>;
  /**
   * The index with the writes that wait in its inbox now, in at most `capBytes`; itself where nothing changed.
   * `known` are writes that need not be read again. Cost: one listing, and one read for each unknown write.
   */
  withWaiting(
    index: OpenIndex,
    known: readonly WaitingWrite[],
    capBytes: number,
    name: string,
  ): Promise<OpenIndex>;
  /** Whether this index is served without a look at its inbox where that is `store/unavailable`: where its own store has none. */
  inboxIsElsewhere?(name: string): boolean;
}

/** How the cache behaves. */
export interface CacheOptions {
  /** Resident bytes of all loaded indexes together. */
  readonly budgetBytes: number;
  /** The same bytes as a budget that others of the isolate share; one of its own where it is absent. */
  readonly budget?: MemoryBudget;
  /** Bytes of the writes that wait, over all loaded indexes, at most. */
  readonly waitingBytes: number;
  /** Indexes loaded at once: each keeps directories and a tokenizer outside the budget. */
  readonly slots: number;
  /**
   * Milliseconds for which a pointer and an inbox are believed. Up to `STALE_FACTOR` times as long the
   * loaded version is served while the pointer is read; after that the request waits for it.
   */
  readonly pointerMaxAgeMs: number;
  /** Milliseconds for which a loaded version is served while its pointer cannot be read; without end when absent. */
  readonly maxStaleMs?: number;
  /**
   * Milliseconds to wait for a load that another request began. On Workers a load dies with
   * its request once `waitUntil` runs out, and its promise then never settles.
   */
  readonly patienceMs: number;
  /** Milliseconds since 1970. */
  now(): number;
}

/** An index with what is known of its age. */
export interface Proven {
  readonly index: OpenIndex;
  /** When the store was last seen to have nothing newer, in ms since 1970. */
  readonly provenAt: number;
  /** As of when all writes in its inbox are known, in ms since 1970; 0 where it was not seen yet. */
  readonly inboxAt: number;
  /** Whether the pointer could not be read when it was last tried. */
  readonly unreadable: boolean;
}

/** Share of the bytes for writes that wait which they have even where indexes fill the budget. */
const LEAST_WAITING_SHARE = 1 / 4;

/** How many times `pointerMaxAgeMs` a version may be served without a look at its pointer. */
export const STALE_FACTOR = 6;

interface Entry extends Proven {
  /** When the store was last asked. */
  readonly triedAt: number;
}

/** Loaded indexes by name, the least recently used first. */
export class IndexCache {
  readonly #source: IndexSource;
  readonly #options: CacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #budget: MemoryBudget;
  /** What each entry has of the budget. */
  readonly #claims = new Map<string, Claim>();
  /** What the load on its way has of it; loads take turns, so there is one. */
  #loading: Claim | null = null;
  readonly #flights = new Map<string, Promise<OpenIndex>>();
  /** Writes taken by this isolate since the flight of the name began: its listing may lack them. */
  readonly #noted = new Map<string, WaitingWrite[]>();
  /**
   * Settles when the last load to be queued is over: loads take turns, or each would count on the
   * same room.
   */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(source: IndexSource, options: CacheOptions) {
    this.#source = source;
    this.#options = options;
    this.#budget = options.budget ?? new MemoryBudget(options.budgetBytes);
  }

  /** The loaded indexes, the most recently used last. Touches no storage. */
  loaded(): readonly OpenIndex[] {
    return [...this.#entries.values()].map(({ index }) => index);
  }

  /** What is loaded, by the name it is kept under, the most recently used last. Touches no storage. */
  entries(): ReadonlyMap<string, Proven> {
    return this.#entries;
  }

  /** Resident bytes of all loaded indexes. */
  get residentBytes(): number {
    return this.loaded().reduce((bytes, index) => bytes + index.residentBytes, 0);
  }

  /**
   * The index with this name: loaded, or loaded now. Throws what loading throws; a failure
   * is not remembered, and never replaces a version that is loaded.
   */
  async get(name: string, background: Background): Promise<OpenIndex> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return this.#shared(name, background);
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    this.#claims.get(name)?.use();

    const { now, pointerMaxAgeMs } = this.#options;
    const time = now();
    if (this.#isTooStale(entry)) return this.#shared(name, background);
    if (time - entry.triedAt < pointerMaxAgeMs) return entry.index;
    if (time - entry.provenAt < pointerMaxAgeMs * STALE_FACTOR) {
      this.#shared(name, background).catch(() => undefined);
      return entry.index;
    }
    return this.#shared(name, background);
  }

  /**
   * As `get`, but where what is loaded does not pass this test the store is looked at until it does: twice at most,
   * since the first look may have begun before the caller asked. Gives what is loaded then, whether it passes or not.
   */
  async getWhere(name: string, background: Background, passes: (found: Proven) => boolean): Promise<Proven> {
    let index = await this.get(name, background);
    for (let looks = 0; ; looks++) {
      // Not there where the index was evicted at once for another one.
      const found = this.#entries.get(name) ?? { index, provenAt: 0, inboxAt: 0, unreadable: false };
      if (looks === 2 || passes(found)) return found;
      index = await this.#shared(name, background);
    }
  }

  /** Whether a write would find room beside those that wait; so where the index is not loaded. Touches no storage. */
  hasRoom(name: string, write: WaitingWrite): boolean {
    const index = this.#entries.get(name)?.index;
    if (index === undefined) return true;
    return index.leavesOut(mergeWrites(index.waiting, [write]), this.#waitingRoom(name)) === 0;
  }

  /** Lays a write that is in the inbox over the index of this name, where it is loaded or about to be. */
  note(name: string, write: WaitingWrite): void {
    if (this.#flights.has(name)) this.#noted.get(name)?.push(write);
    const entry = this.#entries.get(name);
    if (entry !== undefined) this.#put(name, { ...entry, index: this.#lay(name, entry.index, [write]) });
  }

  /** Keeps an entry. What waits is beside all claims, so what is kept in free room makes way for it. */
  #put(name: string, entry: Entry): void {
    this.#entries.set(name, entry);
    this.#budget.setBeside(this.loaded().reduce((bytes, index) => bytes + index.waitingBytes, 0));
  }

  /** The flight for this name, begun here if there is none or the one there is has outlived all patience. */
  async #shared(name: string, background: Background): Promise<OpenIndex> {
    for (;;) {
      const flight = this.#flights.get(name);
      if (flight === undefined) return this.#begin(name, background);
      if (await settlesWithin(flight, this.#options.patienceMs)) return flight;
      if (this.#flights.get(name) === flight) {
        this.#turn = Promise.resolve();
        return this.#begin(name, background);
      }
    }
  }

  #begin(name: string, background: Background): Promise<OpenIndex> {
    this.#noted.set(name, []);
    const flight = this.#bringUpToDate(name).finally(() => {
      if (this.#flights.get(name) !== flight) return;
      this.#flights.delete(name);
      this.#noted.delete(name);
    });
    this.#flights.set(name, flight);
    background.waitUntil(flight.catch(() => undefined));
    return flight;
  }

  async #bringUpToDate(name: string): Promise<OpenIndex> {
    const { now } = this.#options;
    const before = this.#entries.get(name);
    if (before === undefined) return this.#load(name);
    const askedAt = now();
    this.#entries.set(name, { ...before, triedAt: askedAt });
    try {
      const version = await this.#source.currentVersion(name);
      if (version !== before.index.version) return await this.#load(name);
      const { laid, seen } = await this.#withWaiting(name, before.index);
      // No await from here on, as a write noted in between would be lost.
      const index = this.#lay(name, laid, this.#noted.get(name) ?? []);
      const inboxAt = seen ? askedAt : before.inboxAt;
      // Changed without counting that as a use; nothing is changed where the index was evicted meanwhile.
      if (this.#entries.get(name)?.index.version === version)
        this.#put(name, { index, provenAt: askedAt, inboxAt, triedAt: askedAt, unreadable: false });
      return index;
    } catch (error) {
      // Gone is an answer, not a failure to get one.
      if (isCode(error, "index/not-found")) {
        this.#drop(name);
        throw error;
      }
      const still = this.#entries.get(name);
      if (still === undefined) throw error;
      this.#entries.set(name, { ...still, unreadable: true });
      if (this.#isTooStale(still)) throw error;
      return still.index;
    }
  }

  /** Whether the pointer has not been read for so long that nothing may be said of what is loaded. */
  #isTooStale({ provenAt }: Entry): boolean {
    const { now, maxStaleMs = Number.POSITIVE_INFINITY } = this.#options;
    return now() - provenAt >= maxStaleMs;
  }

  /** The index with the writes that wait, and whether the inbox was seen: if not, with those known before. */
  async #withWaiting(
    name: string,
    index: OpenIndex,
  ): Promise<{ readonly laid: OpenIndex; readonly seen: boolean }> {
    const known = this.#entries.get(name)?.index.waiting ?? [];
    try {
      const laid = await this.#source.withWaiting(index, known, this.#waitingRoom(name), name);
      return { laid, seen: true };
    } catch (error) {
      if (!isCode(error, "store/unavailable") || this.#source.inboxIsElsewhere?.(name) !== true) throw error;
      return { laid: this.#lay(name, index, known), seen: false };
    }
  }

  /** An index with these writes laid over it beside those it has; itself where it knows or holds them all. */
  #lay(name: string, index: OpenIndex, writes: readonly WaitingWrite[]): OpenIndex {
    const news = writes.filter(({ entry }) => !isHeld(index.overlay, entry));
    const merged = mergeWrites(index.waiting, news);
    if (merged.length === index.waiting.length) return index;
    return index.withWrites(merged, this.#waitingRoom(name), index.unread);
  }

  /**
   * Bytes for the writes of an index: what the others' leave, and no more than the indexes leave of their own budget but
   * for a share that is there in any case.
   */
  #waitingRoom(name: string): number {
    const { waitingBytes } = this.#options;
    const others = [...this.#entries].filter(([other]) => other !== name);
    const taken = others.reduce((bytes, [, { index }]) => bytes + index.waitingBytes, 0);
    const { limitBytes, usedBytes } = this.#budget;
    const free = Math.max(
      limitBytes - usedBytes + (this.#loading?.bytes ?? 0),
      waitingBytes * LEAST_WAITING_SHARE,
    );
    return Math.max(0, Math.min(waitingBytes, free) - taken);
  }

  async #load(name: string): Promise<OpenIndex> {
    const queued = this.#turn;
    const { promise: turn, resolve: done } = Promise.withResolvers<void>();
    this.#turn = turn;
    try {
      await settlesWithin(queued, this.#options.patienceMs);
      // Of a load that was waited for in vain, which then is none any more.
      this.#loading?.release();
      const startedAt = this.#options.now();
      const before = this.#entries.get(name)?.inboxAt ?? 0;
      const { index: loaded, claim } = await this.#loadWithRoom(name);
      const { laid, seen } = await this.#withWaiting(name, loaded);
      // No await from here on, as above.
      const index = this.#lay(name, laid, this.#noted.get(name) ?? []);
      this.#drop(name);
      this.#settle(name, index, claim);
      const inboxAt = seen ? startedAt : before;
      this.#put(name, {
        ...{ index, provenAt: startedAt, inboxAt, triedAt: startedAt },
        unreadable: false,
      });
      return index;
    } finally {
      this.#loading?.release();
      this.#loading = null;
      done();
    }
  }

  /**
   * Loads into what the budget leaves, and where that is too little evicts until it is
   * enough; an index that could never fit evicts nothing. The version being replaced goes
   * last: an index above half the budget is swapped through a moment in which neither
   * version is loaded, the price of never holding more than the budget.
   */
  async #loadWithRoom(name: string): Promise<{ readonly index: OpenIndex; readonly claim: Claim | null }> {
    const { slots } = this.#options;
    const budget = this.#budget;
    let claim: Claim | null = null;
    const index = await this.#source.open(name, (neededBytes) => {
      if (neededBytes > budget.limitBytes) return budget.limitBytes;
      while (this.#entries.size >= slots && !this.#entries.has(name)) this.#evictOther();
      this.#claims.get(name)?.use();
      claim = budget.claim(neededBytes);
      if (claim === null) throw inUse(budget.limitBytes);
      this.#loading = claim;
      return neededBytes + budget.limitBytes - budget.usedBytes;
    });
    return { index, claim };
  }

  /** Makes the claim of a load that of the loaded index, now that it is known to the byte. Throws where there is no room for more than was foreseen. */
  #settle(name: string, index: OpenIndex, loading: Claim | null): void {
    const { residentBytes } = index;
    const claim = loading?.resize(residentBytes) === true ? loading : this.#budget.claim(residentBytes);
    if (claim === null) throw inUse(this.#budget.limitBytes);
    if (this.#loading === claim) this.#loading = null;
    this.#claims.set(name, claim);
    claim.evictBy(() => {
      this.#entries.delete(name);
      this.#claims.delete(name);
    });
  }

  #evictOther(): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#drop(oldest);
  }

  #drop(name: string): void {
    this.#entries.delete(name);
    this.#claims.get(name)?.release();
    this.#claims.delete(name);
  }
}

function inUse(limit: number): LightedgeError {
  const message = "The memory of this isolate is taken by what is in use; ask again shortly.";
  return new LightedgeError("shard/overloaded", message, { limit });
}

function isCode(error: unknown, code: LightedgeError["code"]): boolean {
  return error instanceof LightedgeError && error.code === code;
}

/** Whether a promise is kept or broken within this time. */
async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, milliseconds, false);
  try {
    return await Promise.race([
      promise.then(
        () => true,
        () => true,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
