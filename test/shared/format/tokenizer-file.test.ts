import { describe, expect, it } from "vitest";
import { parseEnvelope, writeEnvelope } from "../../../shared/format/envelope.ts";
import { readTokenizerFile, writeTokenizerFile } from "../../../shared/format/tokenizer-file.ts";
import { refusalNow } from "./helpers.ts";
import { ENCODER, TOKENIZER_VALUE, tokenizerSample } from "./samples.ts";

describe("a tokenizer file", () => {
  it("gives back its value and its meta", async () => {
    const { bytes } = await tokenizerSample();
    expect(readTokenizerFile(parseEnvelope(bytes, "tokenizer"))).toEqual({
      meta: { encoder: ENCODER, lowercase: true },
      value: TOKENIZER_VALUE,
    });
  });

  it("has another digest when two tokens change places", async () => {
    const { vocabulary, ...rest } = TOKENIZER_VALUE;
    const swapped = { ...rest, vocabulary: [...vocabulary].reverse() };
    const other = await writeTokenizerFile({ encoder: ENCODER, lowercase: true }, swapped);
    expect(other.sha256).not.toBe((await tokenizerSample()).sha256);
  });

  it("is refused without its section or with a value that is none", async () => {
    const meta = { encoder: ENCODER, lowercase: true };
    const empty = await writeEnvelope("tokenizer", meta, []);
    expect(refusalNow(() => readTokenizerFile(parseEnvelope(empty.bytes, "tokenizer")))).toBe(
      "format/invalid",
    );
    const section = { name: "tokenizer", bytes: Uint8Array.of(0xc1) };
    const odd = await writeEnvelope("tokenizer", meta, [section]);
    expect(refusalNow(() => readTokenizerFile(parseEnvelope(odd.bytes, "tokenizer")))).toBe("format/invalid");
  });
});
