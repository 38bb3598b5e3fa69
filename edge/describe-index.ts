/** What may be told of a loaded index without a search. */
import { blobsOf, type Manifest } from "../shared/format/manifest.ts";
import type { Routed } from "./regions/question.ts";
import { type Told, toldOf } from "./regions/told.ts";
import { seqOf } from "./version.ts";

/** The answer of `GET /v1/indexes/{index}`. */
export interface IndexDescription extends Told {
  readonly index: string;
  readonly seq: number;
  /** When this version was built, UTC. */
  readonly created: string;
  readonly documents: number;
  readonly chunks: number;
  /** Files that its documents are spread over. */
  readonly shards: number;
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

/** Describes an index as a region answers for it. `now` is in milliseconds since 1970. */
export function describeIndex(found: Routed<unknown>, now: number): IndexDescription {
  const { index } = found;
  const { manifest, version, residentBytes } = index;
  return {
    index: index.name,
    ...toldOf(found, now),
    seq: seqOf(version),
    created: manifest.created,
    documents: manifest.counts.documents,
    chunks: manifest.counts.chunks,
    shards: blobsOf(manifest, "shard").length,
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
