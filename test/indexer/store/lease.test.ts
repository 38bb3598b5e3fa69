import { describe, expect, it } from "vitest";
import {
  acquireLease,
  BEAT_MS,
  describeHolder,
  type Lease,
  type LeaseOptions,
  type LeasePorts,
  type LeaseRecord,
  LOCK_WAIT_MS,
  leaseKey,
} from "../../../indexer/store/lease.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { WriteStore } from "../../../shared/store/store.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { VirtualTime } from "../../helpers/virtual-time.ts";

const INDEX = "docs";
const KEY = leaseKey(INDEX);

/** A machine of its own with one process, whose clock is off by so many days. */
function machine(
  time: VirtualTime,
  host: string,
  { daysOff = 0, running = true }: { daysOff?: number; running?: boolean } = {},
): LeasePorts {
  let next = host.length;
  return {
    randomBytes: (length) => {
      next += 1;
      return Uint8Array.from({ length }, (_, at) => (host.charCodeAt(at % host.length) * next + at) & 255);
    },
    pause: time.pause,
    now: () => new Date(Date.UTC(2026, 0, 31 + daysOff) + time.now),
    host,
    process: 1,
    isRunning: () => running,
  };
}

/** A store in which time passes, and what was warned of. */
function world() {
  const time = new VirtualTime();
  const memory = new MemoryStore(() => time.now);
  const warnings: string[] = [];
  const options: LeaseOptions = { warn: (message) => warnings.push(message) };
  const ask = (ports: LeasePorts, more: Partial<LeaseOptions> = {}, store: WriteStore = memory) =>
    time.run(acquireLease(time.watched(store), INDEX, { ...options, ...more }, ports));
  return { time, memory, warnings, ask };
}

async function held(outcome: ReturnType<typeof acquireLease>): Promise<Lease> {
  const found = await outcome;
  if (found.kind !== "held") throw new Error("The lease is another's.");
  return found.lease;
}

async function recordIn(store: WriteStore): Promise<LeaseRecord> {
  return JSON.parse(new TextDecoder().decode((await store.get(KEY))!.body)) as LeaseRecord;
}

describe("a lease", () => {
  it("is had at once where nobody holds it, and says who holds it now", async () => {
    const { time, memory, ask } = world();
    const lease = await held(ask(machine(time, "alpha")));
    expect(time.now).toBe(0);
    expect(await recordIn(memory)).toEqual({
      format: 1,
      holder: expect.stringMatching(/^[0-9a-f]{32}$/u),
      beat: 0,
      host: "alpha",
      process: 1,
      started: "2026-01-31T00:00:00.000Z",
      released: false,
    });
    await time.run(lease.release());
  });

  it("beats every five seconds, and no more after it was given back", async () => {
    const { time, memory, ask } = world();
    const lease = await held(ask(machine(time, "alpha")));
    for (let beat = 1; beat <= 5; beat++) {
      await time.pass(BEAT_MS);
      expect((await recordIn(memory)).beat).toBe(beat);
    }
    await time.run(lease.release());
    expect(await recordIn(memory)).toMatchObject({ beat: 6, released: true });
    await time.pass(10 * BEAT_MS);
    expect((await recordIn(memory)).beat).toBe(6);
  });

  it("that was given back is had by the next at once", async () => {
    const { time, ask } = world();
    await time.run((await held(ask(machine(time, "alpha")))).release());
    const before = time.now;
    const next = await held(ask(machine(time, "beta")));
    expect(time.now).toBe(before);
    await time.run(next.release());
  });

  it("that beats is not had by another, who knows within two beats, however long the holder takes", async () => {
    const { time, warnings, ask } = world();
    const lease = await held(ask(machine(time, "alpha")));
    await time.pass(3_600_000);
    const asked = time.now;
    const other = await ask(machine(time, "beta"));
    expect(other).toMatchObject({ kind: "busy", holder: { host: "alpha" } });
    expect(time.now - asked).toBeLessThanOrEqual(2 * BEAT_MS);
    expect(lease.lost).toBe(false);
    expect(warnings).toEqual([expect.stringContaining("is held; looking for 60 s")]);
    await time.run(lease.release());
  });

  it("whose holder died elsewhere is had after the wait, and not before", async () => {
    const { time, memory, ask } = world();
    // The holder's pauses never end: its process is gone.
    const dead = { ...machine(time, "alpha"), pause: () => new Promise<void>(() => {}) };
    await ask(dead);
    const lease = await held(ask(machine(time, "beta")));
    expect(time.now).toBe(LOCK_WAIT_MS);
    expect((await recordIn(memory)).host).toBe("beta");
    await time.run(lease.release());
  });

  it("whose process died on the same machine is had at once", async () => {
    const { time, ask } = world();
    const dead = { ...machine(time, "alpha"), pause: () => new Promise<void>(() => {}) };
    await ask(dead);
    const lease = await held(ask(machine(time, "alpha", { running: false })));
    expect(time.now).toBe(0);
    await time.run(lease.release());
  });

  it("is had by the one who watched when it is given back meanwhile", async () => {
    const { time, memory, ask } = world();
    const lease = await held(ask(machine(time, "alpha")));
    const asking = ask(machine(time, "beta"));
    await Promise.resolve();
    await lease.release();
    const next = await held(asking);
    expect((await recordIn(memory)).host).toBe("beta");
    await time.run(next.release());
  });

  it("is had by exactly one of ten who take it from the dead", async () => {
    const { time, memory } = world();
    const store = time.watched(memory);
    const warn = () => {};
    const dead = { ...machine(time, "dead"), pause: () => new Promise<void>(() => {}) };
    await time.run(acquireLease(store, INDEX, { warn }, dead));
    const hosts = Array.from({ length: 10 }, (_, at) => `host${at}`);
    const outcomes = await time.run(
      Promise.all(hosts.map((host) => acquireLease(store, INDEX, { warn }, machine(time, host)))),
    );
    const winners = outcomes.filter(({ kind }) => kind === "held");
    expect(winners.length).toBe(1);
    await time.run(Promise.all(outcomes.map((each) => each.kind === "held" && each.lease.release())));
  });

  it("takes no notice of clocks that are days off, at either side", async () => {
    for (const [mine, theirs] of [
      [-1, 1],
      [1, -1],
      [400, 0],
    ] as const) {
      const { time, ask } = world();
      const lease = await held(ask(machine(time, "alpha", { daysOff: mine })));
      expect((await ask(machine(time, "beta", { daysOff: theirs }))).kind).toBe("busy");
      expect(time.now).toBeLessThanOrEqual(2 * BEAT_MS);
      await time.run(lease.release());
    }
  });

  it("in a form that is not known, as of a newer version, is watched like any other", async () => {
    const { time, memory, ask } = world();
    const newer = (beat: number) => new TextEncoder().encode(`{"format":2,"beat":${beat}}`);
    await memory.put(KEY, newer(0));
    const asking = ask(machine(time, "beta"));
    await Promise.resolve();
    await memory.put(KEY, newer(1));
    expect(await asking).toEqual({ kind: "busy", holder: null });
    const lease = await held(ask(machine(time, "beta")));
    expect(time.now).toBeGreaterThanOrEqual(LOCK_WAIT_MS);
    await time.run(lease.release());
  });

  it("is taken without a look where none is wanted", async () => {
    const { time, warnings, ask } = world();
    const first = await held(ask(machine(time, "alpha")));
    const second = await held(ask(machine(time, "beta"), { wait: 0 }));
    expect(time.now).toBe(0);
    await time.pass(BEAT_MS);
    expect([first.lost, second.lost]).toEqual([true, false]);
    expect(warnings).toEqual([expect.stringContaining("taken over by another run. This one goes on")]);
    await time.run(Promise.all([first.release(), second.release()]));
  });
});

describe("a holder that stalls for longer than the wait", () => {
  it("loses the lease, says so once, and neither beats nor gives back what is another's", async () => {
    const { time, memory, warnings, ask } = world();
    let stall = 0;
    const alpha = machine(time, "alpha");
    const lease = await held(ask({ ...alpha, pause: (ms, signal) => alpha.pause(ms + stall, signal) }));
    stall = 10 * LOCK_WAIT_MS;
    await time.pass(BEAT_MS);
    const next = await held(ask(machine(time, "beta")));
    await time.pass(20 * LOCK_WAIT_MS);
    expect(lease.lost).toBe(true);
    await time.run(lease.release());
    expect(await recordIn(memory)).toMatchObject({ host: "beta", released: false });
    expect(warnings.filter((message) => message.includes("taken over"))).toHaveLength(1);
    expect(next.lost).toBe(false);
    await time.run(next.release());
  });
});

describe("a store that fails", () => {
  it("at the first look or write is an error before anything is done", async () => {
    for (const at of [0, 1]) {
      const { time, memory, ask } = world();
      const faulty = new FaultStore(memory, at, "crash");
      await expect(ask(machine(time, "alpha"), {}, faulty)).rejects.toMatchObject({
        code: "store/unavailable",
      });
      expect(await memory.get(KEY)).toBeNull();
    }
  });

  it("at any one operation, before or after it landed, leaves the lease held and given back in the end", async () => {
    // 0 and 1 are the look and the first write; then come beats, and what they read after a conflict.
    for (const fault of ["fail before", "fail after"] as const) {
      for (let at = 2; at < 9; at++) {
        const { time, memory, warnings, ask } = world();
        const faulty = new FaultStore(memory, at, fault);
        const lease = await held(ask(machine(time, "alpha"), {}, faulty));
        await time.pass(4 * BEAT_MS);
        expect((await ask(machine(time, "beta"))).kind, `${fault} ${at}`).toBe("busy");
        expect(lease.lost).toBe(false);
        await time.run(lease.release());
        const { released } = await recordIn(memory);
        if (!released) expect(warnings.join()).toContain("could not be given back");
        else expect(warnings.join()).not.toContain("taken over");
      }
    }
  });

  it("right when the lease is given back, after a beat whose answer was lost, still has it given back", async () => {
    const { time, memory, ask } = world();
    const lease = await held(ask(machine(time, "alpha"), {}, new FaultStore(memory, 2, "fail after")));
    await time.pass(BEAT_MS);
    await time.run(lease.release());
    expect(await recordIn(memory)).toMatchObject({ host: "alpha", released: true });
  });

  it("by refusing a write that it had done already is not taken for another holder", async () => {
    const { time, memory, ask } = world();
    // A client below repeats every conditional write, and passes on the second answer.
    const repeating: WriteStore = {
      get: (key) => memory.get(key),
      getRange: (key, offset, length) => memory.getRange(key, offset, length),
      head: (key) => memory.head(key),
      put: (key, body) => memory.put(key, body),
      list: (prefix) => memory.list(prefix),
      delete: (key) => memory.delete(key),
      putIfAbsent: async (key, body) => {
        await memory.putIfAbsent(key, body);
        return memory.putIfAbsent(key, body);
      },
      putIfMatch: async (key, body, etag) => {
        await memory.putIfMatch(key, body, etag);
        return memory.putIfMatch(key, body, etag);
      },
    };
    const lease = await held(ask(machine(time, "alpha"), {}, repeating));
    await time.pass(3 * BEAT_MS);
    expect(lease.lost).toBe(false);
    await time.run(lease.release());
    expect(await recordIn(memory)).toMatchObject({ beat: 4, released: true });
  });
});

describe("the sentence about a holder", () => {
  it("names process, machine and time where they are known", async () => {
    const { time, memory, ask } = world();
    const lease = await held(ask(machine(time, "alpha")));
    expect(describeHolder(INDEX, await recordIn(memory))).toBe(
      "Another run is at work on docs: process 1 on alpha, since 2026-01-31T00:00:00.000Z by its clock.",
    );
    expect(describeHolder(INDEX, null)).toBe("Another run is at work on docs.");
    await time.run(lease.release());
  });
});
