/** What may be told of a loaded index without a search. */
import type { OpenIndex } from "../shared/engine/api.ts";
import type { Manifest } from "../shared/format/manifest.ts";

/** The answer of `GET /v1/indexes/{index}`. */
export interface IndexDescription {
  readonly index: string;
  readonly version: string;
  readonly seq: number;
  /** When this version was built, UTC. */
  readonly created: string;
  /** Whole seconds since `created`. */
  readonly age_s: number;
  readonly documents: number;
  readonly chunks: number;
  readonly model: string;
  readonly dimension: number;
  /** Names of the tasks, the default first. */
  readonly tasks: readonly string[];
  readonly fields: Manifest["fields"];
  readonly fusion: Manifest["fusion"];
  /** Stored bytes of all blobs. */
  readonly bytes: number;
  /** Bytes of memory that serving it takes. */
  readonly resident_bytes: number;
  /** Writes at the edge that no version holds yet. */
  readonly waiting: { readonly writes: number; readonly bytes: number };
  /** Version of the file format. */
  readonly format: number;
}

/**
 * Whole seconds since the version of an index was built. `now` is in milliseconds since 1970; a
 * clock behind the indexer's gives 0.
 */
export function ageOf({ manifest }: Pick<OpenIndex, "manifest">, now: number): number {
  return Math.max(0, Math.floor((now - Date.parse(manifest.created)) / 1000));
}

/** Describes an index. `now` is in milliseconds since 1970. */
export function describeIndex(index: OpenIndex, now: number): IndexDescription {
  const { manifest, version, residentBytes } = index;
  return {
    index: index.name,
    version,
    seq: Number(version.slice(0, version.indexOf("-"))),
    created: manifest.created,
    age_s: ageOf(index, now),
    documents: manifest.counts.documents,
    chunks: manifest.counts.chunks,
    model: manifest.model.name,
    dimension: manifest.model.dimension,
    tasks: manifest.tasks.map(({ name }) => name),
    fields: manifest.fields,
    fusion: manifest.fusion,
    bytes: manifest.blobs.reduce((sum, { bytes }) => sum + bytes, 0),
    resident_bytes: residentBytes,
    waiting: {
      writes: index.waiting.length,
      bytes: index.waiting.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    format: manifest.format,
  };
}
