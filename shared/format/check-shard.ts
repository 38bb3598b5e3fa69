/** The rules of docs/format.md section 7 for a shard's arrays, kept by writer and reader alike. */

import { checkAscending, checkScales, checkStarts, invalid } from "./bytes.ts";
import { checkIds } from "./ids.ts";
import type { ShardFile } from "./shard.ts";

/** Throws `format/invalid` for the first rule broken, all but the length of `vectors`. The meta must have been checked before. */
export function checkShard(shard: Omit<ShardFile, "vectors">): void {
  checkLengths(shard);
  const { chunks, documents, postings, vocabulary } = shard.meta;
  checkScales(shard.factors, "shard section factors", "allowed");
  checkScales(shard.scales, "shard section scales", "refused");
  checkStarts(shard.owners, chunks, "shard section owners");
  checkStarts(shard.starts, postings, "shard section starts");
  checkStarts(shard.idStarts, shard.ids.length, "shard section id_starts");
  checkAscending(shard.terms, "shard section terms");
  const lastTerm = shard.terms[shard.terms.length - 1];
  if (lastTerm !== undefined && lastTerm >= vocabulary) {
    throw invalid(`shard section terms: token ${lastTerm} is outside the vocabulary.`);
  }
  checkPostings(shard, documents);
  checkPassages(shard.passages);
  checkIds(shard);
}

function checkLengths(shard: Omit<ShardFile, "vectors">): void {
  const { chunks: n, documents: m, padded: p, terms, postings } = shard.meta;
  const lengths: readonly (readonly [string, ArrayLike<number>, number])[] = [
    ["codes", shard.codes, (n * p) / 8],
    ["factors", shard.factors, n],
    ["scales", shard.scales, n],
    ["owners", shard.owners, m + 1],
    ["passages", shard.passages, 2 * n],
    ["terms", shard.terms, terms],
    ["starts", shard.starts, terms + 1],
    ["rows", shard.rows, postings],
    ["impacts", shard.impacts, postings],
    ["id_starts", shard.idStarts, m + 1],
    ["places", shard.places, 2 * m],
  ];
  for (const [name, array, wanted] of lengths) {
    if (array.length !== wanted) {
      throw invalid(`shard section ${name} holds ${array.length} numbers, where ${wanted} are needed.`);
    }
  }
}

/** Ascending rows mean that a document occurs once per term; row numbers are 16 bits, so only M < 65,536 needs a bound. */
function checkPostings(
  { starts, rows, impacts }: Pick<ShardFile, "starts" | "rows" | "impacts">,
  documents: number,
): void {
  for (let term = 0; term + 1 < starts.length; term += 1) {
    let before = -1;
    const end = starts[term + 1]!;
    for (let at = starts[term]!; at < end; at += 1) {
      const row = rows[at]!;
      if (row <= before || row >= documents)
        throw invalid(`shard section rows: posting ${at} has row ${row}, out of order or range.`);
      if (impacts[at] === 0) throw invalid(`shard section impacts: posting ${at} is 0.`);
      before = row;
    }
  }
}

function checkPassages(passages: Uint32Array): void {
  for (let at = 0; at < passages.length; at += 2) {
    if (passages[at]! > passages[at + 1]!)
      throw invalid(`shard section passages: passage ${at / 2} ends before it starts.`);
  }
}
