/** An index cache over a store that the test holds in its hands. */
import { IndexCache } from "../../edge/index-cache.ts";
import type { OpenIndex, WaitingWrite } from "../../shared/engine/api.ts";
import { LightedgeError } from "../../shared/errors.ts";
import type { OverlayFile } from "../../shared/format/overlay.ts";
import { fakeIndex } from "./fake-index.ts";

/** Milliseconds for which a pointer is not looked at again. */
export const MAX_AGE = 10_000;
const PATIENCE = 60;

/** A cache over a store that the test holds in its hands: sizes, versions, failures, a clock. */
export function setUp(
  options: { budgetBytes?: number; slots?: number; maxStaleMs?: number; inboxIsElsewhere?: boolean } = {},
) {
  const { budgetBytes = 1000, slots = 8, inboxIsElsewhere = false } = options;
  const state = {
    time: 0,
    versions: new Map<string, number>(),
    bytes: new Map<string, number>(),
    opened: [] as string[],
    pointerReads: 0,
    greatest: 0,
    /** Bytes that the last look left for writes. */
    room: 0,
    /** Bytes that loaded indexes take beyond what was foreseen. */
    surplus: 0,
    failure: undefined as Error | undefined,
    /** What looks at inboxes fail with. */
    inboxFailure: undefined as Error | undefined,
    /** When set, loads wait for it. */
    gate: undefined as Promise<unknown> | undefined,
    background: [] as Promise<unknown>[],
    /** The writes that wait, by index, and how often they were looked for. */
    inbox: new Map<string, readonly WaitingWrite[]>(),
    looks: 0,
    overlay: undefined as OverlayFile | undefined,
    /** When set, looks at inboxes wait for it after they have seen what is there. */
    inboxGate: undefined as Promise<unknown> | undefined,
  };
  const check = (name: string): number => {
    if (state.failure !== undefined) throw state.failure;
    const seq = state.versions.get(name);
    if (seq === undefined) throw new LightedgeError("index/not-found", "None.");
    return seq;
  };
  const cache = new IndexCache(
    {
      async open(name, roomFor) {
        state.opened.push(name);
        const { gate } = state;
        await (gate ?? Promise.resolve());
        const seq = check(name);
        const residentBytes = state.bytes.get(name) ?? 100;
        const room = roomFor(residentBytes);
        if (residentBytes > room) throw new LightedgeError("index/too-large", "No room.");
        state.greatest = Math.max(state.greatest, budgetBytes - room + residentBytes);
        const overlay = state.overlay === undefined ? {} : { overlay: state.overlay };
        return fakeIndex({ name, seq, residentBytes: residentBytes + state.surplus, ...overlay });
      },
      async currentVersion(name) {
        state.pointerReads++;
        return fakeIndex({ name, seq: check(name) }).version;
      },
      async withWaiting(index, _, capBytes) {
        state.looks++;
        const { inboxGate } = state;
        const writes = state.inbox.get(index.name) ?? [];
        await (inboxGate ?? Promise.resolve());
        const failure = state.failure ?? state.inboxFailure;
        if (failure !== undefined) throw failure;
        state.room = capBytes;
        return writes.length === 0 && index.waiting.length === 0 ? index : index.withWrites(writes, capBytes);
      },
      inboxIsElsewhere: () => inboxIsElsewhere,
    },
    {
      budgetBytes,
      waitingBytes: 1000,
      slots,
      ...(options.maxStaleMs === undefined ? {} : { maxStaleMs: options.maxStaleMs }),
      pointerMaxAgeMs: MAX_AGE,
      patienceMs: PATIENCE,
      now: () => state.time,
    },
  );
  const background = { waitUntil: (work: Promise<unknown>) => void state.background.push(work) };
  const get = (name: string): Promise<OpenIndex> => cache.get(name, background);
  /** Lets all background work end. */
  const settle = async () => {
    await Promise.all(state.background.splice(0));
    await new Promise((resolve) => setTimeout(resolve));
  };
  const names = () => cache.loaded().map(({ name }) => name);
  for (const name of ["a", "b", "c", "d"]) state.versions.set(name, 1);
  return { cache, state, get, settle, names, background };
}
