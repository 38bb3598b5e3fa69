/**
 * More documents than have been encoded: copies of encoded ones that are like them and not the same. Every copy is
 * decided by its number and its document's alone, so it can be made again anywhere.
 */
import { Random } from "../../indexer/random.ts";
import type { StoredImpacts } from "../../shared/segment/segment.ts";

/**
 * Length of the noise beside the unit vector that it is added to. The sum's cosine with the original is
 * 1 / sqrt(1 + NOISE^2), 0.8: about what two neighbouring passages of one text have.
 */
export const NOISE = 0.75;
/** Share of the postings that a copy lacks, and share that it has from another document instead. */
export const DROPPED = 0.1;
export const EXCHANGED = 0.1;

/** The seed of a copy of a document. */
export function copySeed(copy: number, document: number): number {
  return (Math.imul(copy, 0x9e3779b1) ^ Math.imul(document + 1, 0x85ebca6b)) >>> 0;
}

/** unit(vector + NOISE x a random direction). The vector must have length 1. */
export function noisyVector(vector: Float32Array, seed: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  const noise = new Float64Array(vector.length);
  let squares = 0;
  for (let j = 0; j < noise.length; j++) {
    // Four bytes of one draw added up: near enough to a Gaussian that no direction is preferred.
    const bits = random.bits();
    noise[j] = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510;
    squares += noise[j]! * noise[j]!;
  }
  const scale = NOISE / Math.sqrt(squares);
  let norm = 0;
  for (let j = 0; j < noise.length; j++) {
    noise[j] = vector[j]! + scale * noise[j]!;
    norm += noise[j]! * noise[j]!;
  }
  const unit = 1 / Math.sqrt(norm);
  return Float32Array.from(noise, (value) => value * unit);
}

/** A document's impacts without some and with some of another's. Ids ascend and occur once. */
export function changedImpacts(own: StoredImpacts, other: StoredImpacts, seed: number): StoredImpacts {
  const random = new Random(seed ^ 0x5bd1e995);
  const kept = new Map<number, number>();
  let wanted = 0;
  own.ids.forEach((id, at) => {
    const chance = random.bits() / 2 ** 32;
    if (chance < EXCHANGED) wanted++;
    else if (chance >= EXCHANGED + DROPPED) kept.set(id, own.values[at]!);
  });
  for (; wanted > 0 && other.ids.length > 0; wanted--) {
    const at = random.below(other.ids.length);
    if (!kept.has(other.ids[at]!)) kept.set(other.ids[at]!, other.values[at]!);
  }
  const entries = [...kept].sort(([a], [b]) => a - b);
  return {
    ids: Uint32Array.from(entries, ([id]) => id),
    values: Uint8Array.from(entries, ([, value]) => value),
  };
}
