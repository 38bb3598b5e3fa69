import { describe, expect, it } from "vitest";
import { parseDuration, writeDuration } from "../../../indexer/commands/duration.ts";

describe("a duration", () => {
  it.each([
    ["90s", 90_000],
    ["30m", 1_800_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["0s", 0],
  ])("of %s has %d ms", (text, milliseconds) => {
    expect(parseDuration("grace", text)).toBe(milliseconds);
  });

  it.each(["", "24", "h", "-1h", "1.5h", "1w", "24 h", "1h30m", "1H", "99999999999h", "1ms"])(
    "is not %j",
    (text) => {
      expect(() => parseDuration("grace", text)).toThrow(
        expect.objectContaining({
          code: "usage/invalid",
          message: expect.stringContaining("--grace must be"),
          details: { field: "grace", value: JSON.stringify(text) },
        }),
      );
    },
  );

  it("is written in the greatest unit that divides it, and read back", () => {
    for (const text of ["3d", "5h", "30m", "90s"])
      expect(writeDuration(parseDuration("grace", text))).toBe(text);
    expect(writeDuration(86_400_000)).toBe("1d");
  });
});
