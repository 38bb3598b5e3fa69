import { describe, expect, it } from "vitest";
import { FaultBoard, faultOrderOf } from "../../../indexer/serve/faults.ts";

const REGIONS = ["weur", "enam"];
const HEALTHY = { cut: null, slow_ms: 0, store_error_rate: 0 };
const board = () => new FaultBoard(REGIONS, (from, to) => (from === to ? 2 : 95));
const order = (value: object) => faultOrderOf(value, REGIONS);

describe("an order", () => {
  it.each([
    ["body", null, "a JSON object"],
    ["body", [], "a JSON object"],
    ["body", {}, "one or more of region, cut"],
    ["body", { region: "weur" }, "changes nothing"],
    ["body", { heal: false, restart: false }, "changes nothing"],
    ["body", { reboot: true }, "an object of region, cut"],
    ["region", { region: "mars", heal: true }, "one of weur, enam"],
    ["region", { region: 1, heal: true }, "one of weur, enam"],
    ["region", { region: "__proto__", heal: true }, "one of weur, enam"],
    ["cut", { cut: "later" }, '"refuse", "hang" or null'],
    ["cut", { cut: true }, '"refuse", "hang" or null'],
    ["slow_ms", { slow_ms: 60_001 }, "a number from 0 to 60000"],
    ["slow_ms", { slow_ms: -1 }, "a number from 0 to 60000"],
    ["slow_ms", { slow_ms: "10" }, "a number from 0 to 60000"],
    ["store_error_rate", { store_error_rate: 1.01 }, "a number from 0 to 1"],
    ["store_error_rate", { store_error_rate: Number.NaN }, "a number from 0 to 1"],
    ["heal", { heal: 1 }, "true or false"],
    ["evict", { evict: "yes" }, "true or false"],
    ["restart", { restart: null }, "true or false"],
  ])("that is wrong in %s is refused by name: %j", (field, value, wanted) => {
    expect(() => faultOrderOf(value, REGIONS)).toThrow(
      expect.objectContaining({
        code: "request/invalid",
        message: expect.stringContaining(wanted),
        details: expect.objectContaining({ field }),
      }),
    );
  });

  it("names the limit that a number broke", () => {
    expect(() => order({ slow_ms: 1e9 })).toThrow(
      expect.objectContaining({ details: { field: "slow_ms", value: "1000000000", limit: 60_000 } }),
    );
  });
});

describe("the board", () => {
  it("changes what an order names, in the region that it names", () => {
    const faults = board();
    faults.apply(order({ region: "enam", cut: "refuse", slow_ms: 300 }));
    faults.apply(order({ region: "enam", store_error_rate: 0.5 }));
    expect(faults.regions).toEqual({
      weur: HEALTHY,
      enam: { cut: "refuse", slow_ms: 300, store_error_rate: 0.5 },
    });
  });

  it("changes all regions where none is named, and heals before it harms", () => {
    const faults = board();
    faults.apply(order({ cut: "hang", slow_ms: 9 }));
    faults.apply(order({ heal: true, store_error_rate: 1 }));
    expect(faults.regions).toEqual({
      weur: { ...HEALTHY, store_error_rate: 1 },
      enam: { ...HEALTHY, store_error_rate: 1 },
    });
  });

  it("adds what a region is slowed by to the way to it, and not to the way from it", () => {
    const faults = board();
    faults.apply(order({ region: "enam", slow_ms: 300 }));
    expect(faults.ways.ms).toEqual({ "weur>weur": 2, "weur>enam": 395, "enam>weur": 95, "enam>enam": 302 });
    expect(faults.ways.cut).toEqual({ weur: null, enam: null });
  });

  it("lets those who wait for a region that hangs go on when it is healed, or refuses", async () => {
    const faults = board();
    await faults.untilAnswering("enam");
    for (const next of [{ heal: true }, { cut: "refuse" }]) {
      faults.apply(order({ region: "enam", cut: "hang" }));
      let went = 0;
      const waiting = [0, 1].map(() => faults.untilAnswering("enam").then(() => went++));
      faults.apply(order({ region: "enam", slow_ms: 5 }));
      faults.apply(order({ region: "weur", heal: true }));
      await Promise.resolve();
      expect(went).toBe(0);
      faults.apply(order({ region: "enam", ...next }));
      await Promise.all(waiting);
      expect(went).toBe(2);
    }
  });
});
