/** Documents as shards take them, of no meaning: numbers that are the same in every run, and terms of every density. */
import type { Sha256 } from "../../shared/hash.ts";
import { compressVector } from "../../shared/segment/compress-vector.ts";
import type { SegmentDocument, SegmentFacts } from "../../shared/segment/segment.ts";

const digestOf = (digit: string) => digit.repeat(64) as Sha256;

/** What their numbers were made with. */
export const SAMPLE_FACTS: SegmentFacts = {
  encoder: digestOf("1"),
  tokenizer: digestOf("2"),
  table: digestOf("3"),
  dimension: 128,
  vocabulary: 1000,
  impact_scale: 16,
  mix: 0,
};

/** So many documents with ids in ascending order: one to three chunks each, terms in all, in every second, third, ... document. */
export function sampleDocuments(count: number): SegmentDocument[] {
  let state = 1;
  const below = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const unit = () => {
    const vector = Float32Array.from({ length: 128 }, () => below(2001) - 1000);
    // Not `Math.hypot`, which may round as it likes.
    const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return vector.map((value) => value / norm);
  };
  return Array.from({ length: count }, (_, at) => {
    const chunks = 1 + below(3);
    const ids = [0, 1, 2, 3, 5, 9, 40, 300, 900].filter((step) => step === 0 || at % (step + 1) === 0);
    return {
      id: `s${String(at).padStart(7, "0")}`,
      passages: Array.from({ length: chunks }, (_, chunk) => ({ start: 10 * chunk, end: 10 * chunk + 9 })),
      place: { block: at >> 5, index: at & 31 },
      impacts: {
        ids: Uint32Array.from(ids),
        values: Uint8Array.from(ids, () => 1 + below(255)),
      },
      chunks: Array.from({ length: chunks }, () => compressVector(unit(), 128)),
    };
  });
}
