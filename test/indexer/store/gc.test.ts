import { describe, expect, it } from "vitest";
import { collectGarbage, createMonotonic, GC_PORTS } from "../../../indexer/store/gc.ts";
import { GRACE_MS } from "../../../shared/versions/times.ts";
import { VersionsWorld } from "../../helpers/versions.ts";

/** A clock of each kind that the test moves, and what is measured by them. */
function clocks() {
  const at = { process: 5000, machine: 1_000_000 };
  return {
    at,
    now: createMonotonic(
      () => at.process,
      () => at.machine,
    ),
  };
}

describe("the clock of a sweep", () => {
  it("goes by the process while both clocks go alike", () => {
    const { at, now } = clocks();
    const start = now();
    for (let step = 0; step < 1000; step++) {
      at.process += 1.5;
      at.machine += step % 2 === 0 ? 1 : 2;
      now();
    }
    expect(now() - start).toBe(1500);
  });

  it("counts the time that a machine slept", () => {
    const { at, now } = clocks();
    const start = now();
    at.process += 10;
    at.machine += 3_600_000;
    expect(now() - start).toBe(3_600_000);
    at.process += 10;
    at.machine += 10;
    expect(now() - start).toBe(3_600_010);
  });

  it("does not go back where the machine's clock is set back", () => {
    const { at, now } = clocks();
    const start = now();
    at.process += 100;
    at.machine -= 86_400_000;
    expect(now() - start).toBe(100);
  });

  it("is real where nothing else is asked for", async () => {
    const before = GC_PORTS.monotonic();
    await GC_PORTS.pause(20);
    expect(GC_PORTS.monotonic() - before).toBeGreaterThanOrEqual(15);
  });
});

describe("collecting with the real clocks", () => {
  it("works on a store whose own clock is elsewhere", async () => {
    const world = new VersionsWorld();
    await world.publish(["one"]);
    await world.pass(3 * GRACE_MS.least).publish(["two"]);
    world.pass(3 * GRACE_MS.least);
    const { deleted } = await collectGarbage(world.store, { graceMs: GRACE_MS.least, keep: 1 });
    expect(deleted).toHaveLength(3);
    expect(await world.texts()).toEqual(["two"]);
  });
});
