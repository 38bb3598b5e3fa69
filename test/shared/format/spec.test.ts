import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const golden = new URL("../../golden/v1/tokenizer.bin", import.meta.url);
const spec = readFileSync(new URL("../../../docs/format.md", import.meta.url), "utf8");

describe("docs/format.md", () => {
  it("prints the sample file as it is", () => {
    const bytes = readFileSync(golden);
    const lines = [...spec.matchAll(/^([0-9a-f]{3}) {2}((?:[0-9a-f]{2} )+)/gm)];
    expect(lines.length).toBeGreaterThan(20);
    for (const [, at = "", digits = ""] of lines) {
      const start = Number.parseInt(at, 16);
      const printed = Buffer.from(digits.replaceAll(" ", ""), "hex");
      expect(bytes.subarray(start, start + printed.length), at).toEqual(printed);
    }
  });
});
