import { describe, expect, test } from "vitest";
import { type CircuitOptions, Circuits } from "../../../edge/regions/circuit.ts";

/** Circuits on a clock that the test turns. */
function setUp(options: Partial<CircuitOptions> = {}) {
  const clock = { now: 0 };
  const circuits = new Circuits({
    ...{ leastMs: 1000, mostMs: 8000, tryMs: 5000, most: 4 },
    now: () => clock.now,
    ...options,
  });
  const admits = (...names: string[]) => circuits.admits(names.length === 0 ? ["a"] : names);
  const fails = (name = "a") => circuits.failed(name, "store/unavailable", clock.now);
  const pass = (milliseconds: number) => {
    clock.now += milliseconds;
  };
  return { circuits, clock, admits, fails, pass };
}

describe("a circuit", () => {
  test("that nothing is known of lets all requests through", () => {
    const { admits, circuits } = setUp();
    expect([admits(), admits(), circuits.state("a")]).toEqual([true, true, null]);
  });

  test("is open for a while after a failure, then lets one request try", () => {
    const { admits, fails, pass, circuits } = setUp();
    fails();
    expect(circuits.state("a")).toEqual({ code: "store/unavailable", tryInMs: 1000 });
    pass(999);
    expect(admits()).toBe(false);
    pass(1);
    expect([admits(), admits(), admits()]).toEqual([true, false, false]);
  });

  test("closes when the one that tried succeeds", () => {
    const { admits, fails, pass, circuits } = setUp();
    fails();
    pass(1000);
    admits();
    circuits.succeeded("a");
    expect([admits(), admits(), circuits.state("a")]).toEqual([true, true, null]);
  });

  test("stays open twice as long with each further failure, up to the most", () => {
    const { admits, fails, pass, circuits } = setUp();
    const waits: (number | undefined)[] = [];
    for (let failures = 0; failures < 6; failures++) {
      fails();
      const wait = circuits.state("a")?.tryInMs ?? 0;
      waits.push(wait);
      pass(wait);
      expect(admits()).toBe(true);
      pass(1);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 8000, 8000]);
  });

  test("counts the failures of requests that were under way together as one", () => {
    const { circuits, clock, pass } = setUp();
    const began = [0, 10, 20];
    pass(50);
    for (const startedAt of began) circuits.failed("a", "blob/missing", startedAt);
    expect(circuits.state("a")?.tryInMs).toBe(1000);
    pass(10);
    // Begun after it was open, as a last resort: that it fails is news.
    circuits.failed("a", "blob/missing", clock.now);
    expect(circuits.state("a")?.tryInMs).toBe(2000);
  });

  test("lets another request try where nothing is heard of the one that did", () => {
    const { admits, fails, pass } = setUp();
    fails();
    pass(1000);
    expect(admits()).toBe(true);
    pass(4999);
    expect(admits()).toBe(false);
    pass(1);
    expect(admits()).toBe(true);
  });

  test("of several is tried only where none of the others is shut", () => {
    const { admits, fails, pass } = setUp();
    fails("a");
    pass(500);
    fails("a/docs");
    pass(500);
    expect([admits("a", "a/docs"), admits("a", "a/blog"), admits("a", "a/docs")]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test("is forgotten, the longest untouched first, where there are too many", () => {
    const { fails, circuits } = setUp({ most: 2 });
    for (const name of ["a", "b", "a", "c"]) {
      fails(name);
    }
    expect(["a", "b", "c"].map((name) => circuits.state(name) !== null)).toEqual([false, true, true]);
  });
});

test("whatever happens, at most one request tries a failing circuit in the time of a try, and none is shut for ever", () => {
  let seed = 7;
  const draw = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % below;
  };
  for (let run = 0; run < 200; run++) {
    const { circuits, clock, admits, pass } = setUp();
    let failedOnce = false;
    let lastTry = Number.NEGATIVE_INFINITY;
    for (let step = 0; step < 60; step++) {
      pass(draw(3000));
      if (!admits()) {
        // Shut for no longer than the most, or while another tries.
        expect(circuits.state("a")!.tryInMs).toBeLessThanOrEqual(8000);
        continue;
      }
      if (failedOnce) {
        expect(clock.now - lastTry).toBeGreaterThanOrEqual(1000);
        lastTry = clock.now;
      }
      const outcome = draw(3);
      if (outcome === 0) {
        circuits.succeeded("a");
        failedOnce = false;
        lastTry = Number.NEGATIVE_INFINITY;
      } else if (outcome === 1) {
        circuits.failed("a", "store/unavailable", clock.now);
        failedOnce = true;
        lastTry = clock.now;
      }
      // Else nothing is heard of it.
    }
  }
});
