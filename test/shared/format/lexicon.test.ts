import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEnvelope, writeEnvelope } from "../../../shared/format/envelope.ts";
import {
  LEXICON_BLOCK,
  type LexiconEntry,
  type LexiconFile,
  lexiconEntries,
  packLexicon,
  readLexicon,
  writeLexicon,
} from "../../../shared/format/lexicon.ts";
import { refusal } from "./helpers.ts";
import { LEXICON_ENTRIES } from "./samples.ts";

const good = () => packLexicon(LEXICON_ENTRIES);

async function readBack(lexicon: LexiconFile): Promise<LexiconEntry[]> {
  const { bytes } = await writeLexicon(lexicon);
  return [...lexiconEntries(readLexicon(parseEnvelope(bytes, "lexicon")))];
}

describe("a lexicon", () => {
  it("gives back its words with their frequencies", async () => {
    expect(await readBack(good())).toEqual(LEXICON_ENTRIES);
  });

  it("gives back any words, however many blocks they fill", async () => {
    const word = fc.stringMatching(/^[a-eя-ё\u0561]{3,32}$/u);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(word, { minLength: 1, maxLength: 150 }), async (words) => {
        const entries = words
          .sort((a, b) => (a < b ? -1 : 1))
          .map((text, at) => ({ word: text, frequency: 1 + ((at * 997) % 65_535) }));
        expect(await readBack(packLexicon(entries))).toEqual(entries);
      }),
      { numRuns: 100 },
    );
  });

  it("writes each word but the first of a block as what differs from the one before", () => {
    const { words, alphabet } = packLexicon([
      { word: "edge", frequency: 3 },
      { word: "edges", frequency: 1 },
    ]);
    expect(String.fromCharCode(...alphabet)).toBe("degs");
    expect([...words]).toEqual([0, 4, 1, 0, 2, 1, 4, 1, 3]);
  });

  it("is refused where a rule of its layout is broken", async () => {
    const { meta, alphabet, starts, words, frequencies } = good();
    const edited = (at: number, byte: number) => {
      const copy = words.slice();
      copy[at] = byte;
      return { words: copy };
    };
    const second = 2 + words[1]!;
    const broken: Readonly<Record<string, Partial<LexiconFile>>> = {
      "no word": { meta: { words: 0 } },
      "too many words": { meta: { words: 200_001 } },
      "no letter": { alphabet: new Uint16Array(0) },
      "letters out of order": { alphabet: alphabet.slice().reverse() },
      "a word in no document": { frequencies: Uint16Array.of(0, ...frequencies.subarray(1)) },
      "half a pair": { alphabet: Uint16Array.of(...alphabet.slice(0, -1), 0xd800) },
      "a block elsewhere": { starts: Uint32Array.of(starts[0]!, starts[1]! - 1, ...starts.slice(2)) },
      "bytes after the words": { words: Uint8Array.of(...words, 0) },
      "a word cut off": { words: words.slice(0, -1) },
      "a head that shares": edited(0, 1),
      "a word that shares too much": edited(second, 200),
      "a word that shares too little": edited(second, words[second]! - 1),
      "an empty word": edited(1, 0),
      "a letter of no alphabet": edited(2, alphabet.length),
      "words out of order": edited(2, alphabet.length - 1),
    };
    for (const [why, change] of Object.entries(broken)) {
      const lexicon = { meta, alphabet, starts, words, frequencies, ...change };
      expect(await refusal(() => writeLexicon(lexicon)), why).toBe("format/invalid");
    }
  });

  it("is refused where two blocks are not in order", async () => {
    const entries = Array.from({ length: LEXICON_BLOCK + 1 }, (_, at) => ({
      word: `ab${String.fromCharCode(0x100 + at)}`,
      frequency: 1,
    }));
    const swapped = [...entries.slice(1), entries[0]!];
    expect(await refusal(() => writeLexicon(packLexicon(entries)))).toBe("none");
    expect(await refusal(() => writeLexicon(packLexicon(swapped)))).toBe("format/invalid");
    const twice = [...entries.slice(0, -1), entries.at(-2)!];
    expect(await refusal(() => writeLexicon(packLexicon(twice)))).toBe("format/invalid");
  });

  it("is refused with words of two or of 33 letters, or with more than 255 letters", async () => {
    for (const word of ["ab", "a".repeat(33)])
      expect(await refusal(() => writeLexicon(packLexicon([{ word, frequency: 1 }])))).toBe("format/invalid");
    const many = Array.from({ length: 256 }, (_, at) => ({
      word: String.fromCharCode(0x400 + at).repeat(3),
      frequency: 1,
    }));
    expect(await refusal(() => writeLexicon(packLexicon(many)))).toBe("format/invalid");
    expect(await refusal(() => writeLexicon(packLexicon(many.slice(1))))).toBe("none");
  });

  it("is refused without a section", async () => {
    const { bytes } = await writeEnvelope("lexicon", { words: 1 }, []);
    expect(await refusal(() => readLexicon(parseEnvelope(bytes, "lexicon")))).toBe("format/invalid");
  });
});
