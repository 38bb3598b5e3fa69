/**
 * A collection of a hundred thousand short passages of real text, for measurements at scale.
 *
 * Made of the texts of `medquad`, `scifact` and `nq-qed` beside the checkout: each text is split into
 * sentences with the indexer's own splitter, a sentence that came before anywhere is left out (medquad
 * repeats many, and equal vectors would make a recall mean nothing), and the rest is gathered, in order
 * and within one document, into passages of at most `PASSAGE_WORDS` words and `LEAST_WORDS` at least. A
 * passage is a document: `<collection>-<document>-<number>`, the title of the document it is cut from, its
 * text. Nothing is drawn at random: the same collections give the same lines.
 *
 * `node bench/scale/corpus.ts FILE` writes it.
 */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openSource } from "../../indexer/sources/open.ts";
import { pack, unitsOf } from "../../shared/segment/pack.ts";

/** Words of a passage at most; about 33 on average, which is what three collections give a hundred thousand of. */
export const PASSAGE_WORDS = 46;
/** Fewer words than this are no passage: headings and crumbs. */
const LEAST_WORDS = 8;

/** Where the collections lie beside a checkout. */
const COLLECTIONS = fileURLToPath(new URL("../../../shared/collections", import.meta.url));
/** In the order they are taken; the last one gives what is still wanting. */
const NAMES = ["nq-qed", "scifact", "medquad"] as const;
/** Passages of the collection. */
export const PASSAGES = 100_000;

/** One line of the collection. */
export interface Line {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** A document to cut: `id` must be unique over all that share one `seen`. */
export type Text = Line;

/** The passages of a document. `seen` holds the sentences of all documents before and takes those of this one. */
export function passagesOf({ id, title, text }: Text, seen: Set<string>): Line[] {
  const fresh: string[] = [];
  for (const { start, end } of unitsOf(text, 0, text.length, PASSAGE_WORDS, countWords)) {
    const sentence = text.slice(start, end).replace(/\s+/gu, " ");
    if (seen.has(sentence)) continue;
    seen.add(sentence);
    fresh.push(sentence);
  }
  const joined = fresh.join("\n\n");
  const units: { start: number; end: number; tokens: number }[] = [];
  let at = 0;
  for (const sentence of fresh) {
    units.push({ start: at, end: at + sentence.length, tokens: countWords(sentence) });
    at += sentence.length + 2;
  }
  return pack(units, PASSAGE_WORDS, 0)
    .filter(({ tokens }) => tokens >= LEAST_WORDS)
    .map(({ start, end }, number) => ({
      id: `${id}-${number}`,
      title,
      text: joined.slice(start, end).replaceAll("\n\n", " "),
    }));
}

/** The first `count` passages of the three collections. Throws `source/missing` where one is absent. */
export async function* passages(count = PASSAGES, folder: string = COLLECTIONS): AsyncGenerator<Line> {
  const seen = new Set<string>();
  let left = count;
  for (const name of NAMES) {
    const source = await openSource([join(folder, name)], "beir");
    for await (const record of source.records()) {
      if (record.kind === "rejected") continue;
      const { id, fields } = record.document;
      const [title, text] = [fields.title, fields.text].map((value) =>
        typeof value === "string" ? value : "",
      );
      const found = passagesOf({ id: `${name}-${id}`, title: title!, text: text! }, seen);
      yield* found.slice(0, left);
      left -= Math.min(left, found.length);
      if (left === 0) return;
    }
  }
}

/** Runs without white space. */
function countWords(text: string): number {
  return text.match(/\S+/gu)?.length ?? 0;
}

/** Writes the collection, one document a line; resolves to how many passages of how many words on average. */
export async function writeCorpus(file: string): Promise<{ readonly count: number; readonly words: number }> {
  const out = createWriteStream(`${file}.part`);
  let count = 0;
  let words = 0;
  for await (const line of passages()) {
    if (!out.write(`${JSON.stringify(line)}\n`)) await once(out, "drain");
    count++;
    words += countWords(line.text);
  }
  out.end();
  await once(out, "finish");
  // Whole or not at all: half a collection would be measured as if it were one.
  await rename(`${file}.part`, file);
  return { count, words: words / count };
}

if (import.meta.main) {
  const file = process.argv[2];
  if (file === undefined) throw new Error("Usage: node bench/scale/corpus.ts FILE");
  const { count, words } = await writeCorpus(file);
  process.stderr.write(`${count} passages of ${words.toFixed(1)} words in ${file}\n`);
}
