/**
 * Question: what does looking for misspelt words cost a query?
 * Corpus: the collection's own words. Queries: the collection's, those of them without an
 * unknown word as they are, and all with one letter left out. Peer: none; the goals are 2 and
 * 300 microseconds over 40,000 words.
 */
import { withTypo } from "../../indexer/evaluate/typos.ts";
import { Random } from "../../indexer/random.ts";
import { codesOf, residentLexicon, standingOf } from "../../shared/engine/lexicon.ts";
import { correctQuery } from "../../shared/engine/spelling.ts";
import { wordsOf } from "../../shared/engine/words.ts";
import { readLexicon } from "../../shared/format/lexicon.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { readTokenizerFile } from "../../shared/format/tokenizer-file.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Context } from "../context.ts";
import { quantile, type Result, round } from "../result.ts";

const ROUNDS = 40;

/** `spelling.clean` and `spelling.misspelt` in microseconds a query; nothing where the index has no lexicon. */
export async function measureSpelling({ collection, index, store }: Context): Promise<readonly Result[]> {
  const [blob] = blobsOf(index.manifest, "lexicon");
  const [tokenizerBlob] = blobsOf(index.manifest, "tokenizer");
  if (blob === undefined) return [];
  const lexicon = residentLexicon(readLexicon(await loadEnvelope(store, blob)));
  const tokenizer = loadTokenizer(readTokenizerFile(await loadEnvelope(store, tokenizerBlob!)).value);
  const random = new Random(1);
  const texts = collection.queries.map(({ text }) => text).slice(0, 400);
  const misspelt = texts.flatMap((text) => withTypo(text, "drop", random) ?? []);
  const isKnown = (word: string) => {
    const letters = codesOf(lexicon, word);
    return (
      word.length < 4 ||
      tokenizer.idOf(word) !== undefined ||
      (letters !== null && standingOf(lexicon, letters) === "word")
    );
  };
  const isClean = (text: string) => wordsOf(text).every(({ folded }) => isKnown(folded));
  const microseconds = (queries: readonly string[]): number => {
    const times = Array.from({ length: ROUNDS }, () => {
      const started = performance.now();
      for (const query of queries) correctQuery(query, lexicon, tokenizer);
      return ((performance.now() - started) * 1000) / queries.length;
    });
    return round(quantile(times.slice(5), 0.5));
  };
  const note = `${lexicon.meta.words} words`;
  return [
    { name: "spelling.clean", value: microseconds(texts.filter(isClean)), unit: "us", note },
    {
      name: "spelling.misspelt",
      value: microseconds(misspelt.filter((text) => !isClean(text))),
      unit: "us",
      note,
    },
  ];
}
