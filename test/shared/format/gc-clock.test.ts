import { describe, expect, it } from "vitest";
import { parseGcClock, serializeGcClock } from "../../../shared/format/gc-clock.ts";
import { parseSealed, serializeSealed } from "../../../shared/format/sealed.ts";

const CLOCK = {
  format: 1,
  commit_id: "0".repeat(32),
  released: { docs: 3 },
  current: { docs: { seq: 4, since: 1000 } },
} as const;

describe("the clock of collections", () => {
  it("is read as it was written, in one spelling", async () => {
    const bytes = await serializeGcClock(CLOCK);
    expect(await parseGcClock(bytes)).toEqual(CLOCK);
    expect(await serializeGcClock(await parseGcClock(bytes))).toEqual(bytes);
  });

  it.each([
    ["a name that no index can have", { released: { Docs: 3 } }],
    ["a name that no index can have", { current: { "a/b": { seq: 1, since: 1 } } }],
    ["a number below 0", { released: { docs: -1 } }],
    ["a time that is none", { current: { docs: { seq: 1, since: "now" } } }],
    ["another id than a random one", { commit_id: "1" }],
  ])("is refused with %s", async (_, change) => {
    const wrong = { ...CLOCK, ...change } as unknown as typeof CLOCK;
    await expect(serializeGcClock(wrong)).rejects.toMatchObject({ code: "format/invalid" });
    await expect(parseGcClock(await serializeSealed(wrong))).rejects.toMatchObject({
      code: "format/invalid",
    });
  });

  it("is refused with a field of a later version, and in a later format", async () => {
    const later = await serializeSealed({ ...CLOCK, later: 1 });
    await expect(parseGcClock(later)).rejects.toMatchObject({ code: "format/unsupported" });
    const format = await serializeSealed({ ...CLOCK, format: 2, released: null });
    await expect(parseGcClock(format)).rejects.toMatchObject({ code: "format/unsupported" });
  });

  it("is refused with any bit flipped", async () => {
    const bytes = await serializeGcClock(CLOCK);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await expect(parseGcClock(flipped)).rejects.toMatchObject({
        code: expect.stringMatching(/corrupt|invalid/u),
      });
    }
  });
});

describe("a sealed record", () => {
  it("is not even parsed where it is longer than it may be", async () => {
    const rules = { format: 1, limit: 10, check: (value: unknown) => value };
    const long = parseSealed(new TextEncoder().encode("not JSON at all"), "key", rules);
    await expect(long).rejects.toMatchObject({
      code: "format/invalid",
      message: expect.stringContaining("at most 10"),
    });
  });
});
