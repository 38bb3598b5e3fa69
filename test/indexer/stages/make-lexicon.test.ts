import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SILENT } from "../../../indexer/progress.ts";
import type { Collection } from "../../../indexer/stages/collect.ts";
import { makeLexicon } from "../../../indexer/stages/make-lexicon.ts";
import { fold } from "../../../shared/engine/words.ts";
import { lexiconEntries } from "../../../shared/format/lexicon.ts";
import { FORMAT_LIMITS } from "../../../shared/limits.ts";

interface Texts {
  readonly title?: string;
  readonly text?: string;
}

async function lexiconOf(...documents: readonly Texts[]): Promise<Readonly<Record<string, number>> | null> {
  const collection: Collection = {
    ids: documents.map((_, at) => String(at)),
    digests: documents.map(() => "0".repeat(32)),
    rejected: 0,
    fields: [],
    read: async (number) => ({ id: String(number), fields: { ...documents[number]! }, sections: [] }),
    close: async () => {},
  };
  const lexicon = await makeLexicon(collection, SILENT);
  if (lexicon === null) return null;
  return Object.fromEntries(Array.from(lexiconEntries(lexicon), ({ word, frequency }) => [word, frequency]));
}

describe("makeLexicon", () => {
  it("counts the documents of each word, not its occurrences", async () => {
    expect(
      await lexiconOf({ text: "edge edge edge" }, { text: "The edge, the edge." }, { text: "the" }),
    ).toEqual({
      edge: 2,
      the: 2,
    });
  });

  it("holds words seen once, for a rare name must not be taken for a misspelling", async () => {
    expect(await lexiconOf({ title: "Isolates", text: "quokka" })).toEqual({ isolates: 1, quokka: 1 });
  });

  it("folds case, marks and compatibility forms as searches do", async () => {
    expect(await lexiconOf({ title: "R\u00f6ntgen r\u00f6ntgen RONTGEN \ufb01nal" })).toEqual({
      final: 1,
      rontgen: 1,
    });
  });

  it("leaves out words with digits, short ones, very long ones, and scripts without spaces", async () => {
    const text = `b12 covid19 ab ${"x".repeat(33)} \u691c\u7d22\u30a8\u30f3\u30b8\u30f3 \ud55c\uad6d\uc5b4 \u0e01\u0e23\u0e38\u0e07`;
    expect(await lexiconOf({ title: text })).toBeNull();
    expect(await lexiconOf({ title: `${text} \u0441\u0432\u0435\u0442 abc` })).toEqual({
      abc: 1,
      \u0441\u0432\u0435\u0442: 1,
    });
  });

  it("has nothing to say of documents without text", async () => {
    expect(await lexiconOf({}, { text: "" })).toBeNull();
  });

  it("keeps the most frequent of too many words", async () => {
    const letters = (at: number) =>
      [...at.toString(26).padStart(4, "0")]
        .map((c) => String.fromCharCode(97 + Number.parseInt(c, 26)))
        .join("");
    const rare = Array.from({ length: FORMAT_LIMITS.lexiconWords + 10 }, (_, at) => letters(at)).join(" ");
    const lexicon = (await lexiconOf({ text: rare }, { text: "zzzz often" }, { text: "zzzz often" }))!;
    expect(Object.keys(lexicon)).toHaveLength(FORMAT_LIMITS.lexiconWords);
    expect(lexicon).toMatchObject({ zzzz: 2, often: 2, aaaa: 1 });
  });

  it("leaves out words of the rarest letters where there are more than 255", async () => {
    const greek = Array.from({ length: 300 }, (_, at) => String.fromCodePoint(0x1f00 + at)).filter((c) =>
      /^\p{Script=Greek}$/u.test(fold(c)),
    );
    const cyrillic = Array.from({ length: 0x100 }, (_, at) => String.fromCodePoint(0x400 + at));
    const latin = Array.from({ length: 0xd0 }, (_, at) => String.fromCodePoint(0x180 + at));
    const words = [...greek, ...cyrillic, ...latin].map((letter) => letter.repeat(3)).join(" ");
    const lexicon = (await lexiconOf({ title: words }, { text: "usual" }, { text: "usual" }))!;
    const units = new Set([...Object.keys(lexicon).join("")]);
    expect(lexicon.usual).toBe(2);
    expect(units.size).toBeLessThanOrEqual(255);
  });

  it("agrees with a set of words per document", async () => {
    const word = fc.stringMatching(/^[a-d]{3,4}$/);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(word, { maxLength: 8 }), { minLength: 1, maxLength: 6 }),
        async (texts) => {
          const expected = Object.fromEntries(
            texts.flat().map((one) => [one, texts.filter((text) => text.includes(one)).length]),
          );
          const found = await lexiconOf(...texts.map((text) => ({ text: text.join(" ") })));
          expect(found ?? {}).toEqual(expected);
        },
      ),
    );
  });
});
