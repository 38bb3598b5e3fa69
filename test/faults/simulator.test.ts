/** Random schedules over one store, and that the same seed is the same schedule. The long run is bench/faults/simulate.ts. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repeatCommand, type Simulated, simulate } from "../sim/simulate.ts";
import { digestInPlace } from "../sim/sync-digest.ts";

const SCHEDULES = 400;

let restore: () => void;
beforeAll(() => {
  restore = digestInPlace();
});
afterAll(() => restore());

describe("a schedule", () => {
  it("is the same to the last step each time its seed is run, and another for another seed", async () => {
    const traces = new Set<string>();
    for (let seed = 1; seed <= 30; seed++) {
      const once = await simulate(seed);
      expect(await simulate(seed)).toEqual(once);
      traces.add(once.trace);
    }
    expect(traces.size).toBe(30);
  });

  it("names the command that repeats it", () => {
    expect(repeatCommand(7)).toBe("node bench/faults/simulate.ts --seed 7 --schedules 1 --verbose");
  });
});

describe("indexers and readers at once, with crashes, lost answers and sleepers", () => {
  it(`lose, double and mix nothing in ${SCHEDULES} schedules`, async () => {
    const all: Simulated[] = [];
    for (let seed = 1001; seed <= 1000 + SCHEDULES; seed++) all.push(await simulate(seed));
    const broken = all
      .filter(({ violations }) => violations.length > 0)
      .map(({ seed, violations }) => ({ repeat: repeatCommand(seed), violations }));
    expect(broken).toEqual([]);
    // Not for want of trying.
    expect(all.reduce((sum, { versions }) => sum + versions, 0)).toBeGreaterThan(4 * SCHEDULES);
    expect(all.reduce((sum, { steps }) => sum + steps, 0)).toBeGreaterThan(100 * SCHEDULES);
  });
});
