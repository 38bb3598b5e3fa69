import { describe, expect, it } from "vitest";
import { parseRunMark, type RunMark, runMarkKey, serializeRunMark } from "../../../shared/format/run-mark.ts";

const MARK: RunMark = { format: 1, version: "7-1a2b3c4d", origin: "nightly", max_age: 86_400_000 };

describe("the mark of a run", () => {
  it("is read as it was written, with a promise and without", async () => {
    for (const mark of [MARK, { ...MARK, origin: null, max_age: null }])
      expect(await parseRunMark(await serializeRunMark(mark), "docs")).toEqual(mark);
    expect(runMarkKey("docs")).toBe("indexes/docs/run.json");
  });

  it("is refused with any bit flipped and cut off anywhere", async () => {
    const bytes = await serializeRunMark(MARK);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await expect(parseRunMark(flipped, "docs"), `bit ${bit}`).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:blob\/corrupt|format\/(?:invalid|unsupported))$/u),
      });
    }
    for (let length = 0; length < bytes.length; length++)
      await expect(parseRunMark(bytes.slice(0, length), "docs")).rejects.toThrow();
  });

  it("is not written with what could not be read: no version, an age of nothing, an origin without a name", async () => {
    for (const change of [{ version: "" }, { max_age: 0 }, { max_age: 1.5 }, { origin: "" }])
      await expect((async () => serializeRunMark({ ...MARK, ...change }))()).rejects.toMatchObject({
        code: "format/invalid",
      });
  });
});
