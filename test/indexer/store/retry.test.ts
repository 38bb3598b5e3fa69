import { describe, expect, it } from "vitest";
import { Retries, type RetryPorts, type RetryRule } from "../../../indexer/store/retry.ts";

const RULE: RetryRule = { tries: 5, firstWaitMs: 100, longestWaitMs: 300, withinMs: 60_000 };
const ALWAYS = () => 0;

/** A clock that only pauses move, and what was paused for. */
function ports(random = 1 - 2 ** -32): RetryPorts & { readonly waits: number[]; pass(ms: number): void } {
  const waits: number[] = [];
  let time = 0;
  return {
    waits,
    pass: (ms) => {
      time += ms;
    },
    now: () => time,
    random: () => random,
    pause: async (ms) => {
      waits.push(Math.round(ms));
      time += ms;
    },
  };
}

/** Work that fails so many times, counting its calls. */
function failing(times: number): { (): Promise<string>; calls: number } {
  const work = async () => {
    work.calls += 1;
    if (work.calls <= times) throw new Error(`failure ${work.calls}`);
    return "done";
  };
  work.calls = 0;
  return work;
}

describe("Retries", () => {
  it("tries again until the work is done, waiting twice as long each time up to a bound", async () => {
    const world = ports();
    const work = failing(4);
    expect(await new Retries(world).run(RULE, ALWAYS, work)).toBe("done");
    expect(work.calls).toBe(5);
    expect(world.waits).toEqual([100, 200, 300, 300]);
  });

  it("throws the last error when all tries of a call are used up", async () => {
    const work = failing(9);
    await expect(new Retries(ports()).run(RULE, ALWAYS, work)).rejects.toThrow("failure 5");
    expect(work.calls).toBe(5);
  });

  it("throws at once what must not be tried again", async () => {
    const world = ports();
    const work = failing(9);
    await expect(new Retries(world).run(RULE, () => null, work)).rejects.toThrow("failure 1");
    expect(work.calls).toBe(1);
    expect(world.waits).toEqual([]);
  });

  it("waits between half and all of what it may, as the random number has it", async () => {
    const world = ports(0);
    await new Retries(world).run(RULE, ALWAYS, failing(2));
    expect(world.waits).toEqual([50, 100]);
  });

  it("waits as long as it is asked to, even past the bound", async () => {
    const world = ports();
    await new Retries(world).run(RULE, () => 2500, failing(1));
    expect(world.waits).toEqual([2500]);
  });

  it("begins no try later than it may after the first", async () => {
    const world = ports();
    const slow = failing(9);
    const work = () => {
      world.pass(25_000);
      return slow();
    };
    await expect(new Retries(world).run(RULE, ALWAYS, work)).rejects.toThrow("failure 3");
    expect(slow.calls).toBe(3);
  });

  it("spends at most a burst and a tenth of all calls on retries while a store is down", async () => {
    const retries = new Retries(ports());
    const work = failing(Number.POSITIVE_INFINITY);
    for (let n = 0; n < 1000; n += 1) await retries.run(RULE, ALWAYS, work).catch(() => undefined);
    expect(work.calls).toBeGreaterThan(1000 + 100);
    expect(work.calls).toBeLessThanOrEqual(1000 + 20 + 100);
  });

  it("fails a call at its first error once the budget is spent, and recovers with calls that succeed", async () => {
    const retries = new Retries(ports());
    // Four retries each, which is all of the twenty.
    for (let n = 0; n < 5; n += 1) {
      await retries.run(RULE, ALWAYS, failing(9)).catch(() => undefined);
    }
    const spent = failing(1);
    await expect(retries.run(RULE, ALWAYS, spent)).rejects.toThrow("failure 1");
    for (let n = 0; n < 20; n += 1) await retries.run(RULE, ALWAYS, failing(0));
    expect(await retries.run(RULE, ALWAYS, failing(1))).toBe("done");
  });

  it("never saves up more than one burst", async () => {
    const retries = new Retries(ports());
    for (let n = 0; n < 10_000; n += 1) await retries.run(RULE, ALWAYS, failing(0));
    let calls = 0;
    for (let n = 0; n < 50; n += 1) {
      const work = failing(9);
      await retries.run(RULE, ALWAYS, work).catch(() => undefined);
      calls += work.calls;
    }
    expect(calls).toBeLessThanOrEqual(50 + 20 + 5);
  });

  it.each([0.01, 0.1])(
    "gets every one of 500 calls through a store that fails %d of its requests",
    async (rate) => {
      const retries = new Retries(ports());
      // Evenly spread failures of that rate, so that the figure does not hang on a seed.
      let requests = 0;
      const work = async () => {
        requests += 1;
        if (Math.floor(requests * rate) > Math.floor((requests - 1) * rate)) throw new Error("503");
        return requests;
      };
      for (let n = 0; n < 500; n += 1) await retries.run(RULE, ALWAYS, work);
      expect(requests).toBeLessThanOrEqual(Math.ceil(500 / (1 - rate)) + 1);
    },
  );
});
