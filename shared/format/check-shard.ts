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
  checkOrder(shard);
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

/** Each chunk has one code, in the order of clusters. */
function checkOrder({ meta, order }: Pick<ShardFile, "meta" | "order">): void {
  if (order === undefined || meta.clusters === undefined) {
    if (order === undefined && meta.clusters === undefined) return;
    throw invalid("A shard has an order of codes just where it names clusters.");
  }
  const { starts, chunks } = order;
  if (starts.length !== meta.clusters.count + 1 || chunks.length !== meta.chunks)
    throw invalid(
      "shard sections cluster_starts and code_chunks are not as long as its clusters and chunks.",
    );
  if (starts[0] !== 0 || starts[starts.length - 1] !== meta.chunks)
    throw invalid(`shard section cluster_starts must begin with 0 and end with ${meta.chunks}.`);
  const seen = new Uint8Array(meta.chunks);
  for (let cluster = 0; cluster + 1 < starts.length; cluster++) {
    const [first, end] = [starts[cluster]!, starts[cluster + 1]!];
    if (end < first) throw invalid(`shard section cluster_starts falls at ${cluster + 1}.`);
    // Numbers that ascend, none of them twice and as many as there are, are all of them.
    for (let at = first; at < end; at++) {
      const chunk = chunks[at]!;
      if (chunk >= meta.chunks || seen[chunk] !== 0 || (at > first && chunk <= chunks[at - 1]!))
        throw invalid(`shard section code_chunks: code ${at} is chunk ${chunk}, out of order or range.`);
      seen[chunk] = 1;
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
