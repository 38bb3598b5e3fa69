import { describe, expect, it } from "vitest";
import { serializeSealed } from "../../../shared/format/sealed.ts";
import { parseSkipped, serializeSkipped } from "../../../shared/format/skipped.ts";

const RECORD = { format: 1, commit_id: "0".repeat(32), skipped: { docs: 3 } } as const;

describe("the record of versions that were passed over", () => {
  it("is read as it was written, in one spelling", async () => {
    const bytes = await serializeSkipped(RECORD);
    expect(await parseSkipped(bytes)).toEqual(RECORD);
    expect(await serializeSkipped(await parseSkipped(bytes))).toEqual(bytes);
  });

  it.each([
    ["a name that no index can have", { skipped: { Docs: 3 } }],
    ["a number below 1", { skipped: { docs: 0 } }],
    ["another id than a random one", { commit_id: "1" }],
  ])("is refused with %s", async (_, change) => {
    const wrong = { ...RECORD, ...change } as unknown as typeof RECORD;
    await expect(serializeSkipped(wrong)).rejects.toMatchObject({ code: "format/invalid" });
    const bytes = await serializeSealed(wrong);
    await expect(parseSkipped(bytes)).rejects.toMatchObject({ code: "format/invalid" });
  });

  it("is refused in a later format, and with any bit flipped", async () => {
    const later = await serializeSealed({ ...RECORD, format: 2 });
    await expect(parseSkipped(later)).rejects.toMatchObject({ code: "format/unsupported" });
    const bytes = await serializeSkipped(RECORD);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await expect(parseSkipped(flipped)).rejects.toMatchObject({
        code: expect.stringMatching(/corrupt|invalid/u),
      });
    }
  });
});
