/**
 * What a Worker and the objects that hold shards say to each other. Values cross as structured clones: typed arrays with
 * their bytes, plain objects, numbers and texts; an array must own its buffer, since a clone takes all of that.
 * `WIRE_VERSION` changes with any of it: while a deployment rolls out, one side may be older than the other.
 */
import type { ErrorCode } from "../errors.ts";
import type { Place } from "../format/documents.ts";
import type { ManifestReference } from "../format/pointer.ts";
import type { Sha256 } from "../hash.ts";
import type { EncodedQuery } from "./encoded-query.ts";
import type { ChunkPlace, Pool, ScoredDocuments, ShardEvidence, ShardProposals } from "./shard-contract.ts";

/** The version of these messages that this code speaks. */
export const WIRE_VERSION = 1;

/** The shard that a call is for, as a part of one version of an index in one region. */
export interface ShardAddress {
  readonly region: string;
  readonly index: string;
  readonly manifest: ManifestReference;
  readonly ordinal: number;
  /** Digest of the shard's file. */
  readonly sha256: Sha256;
}

/** Documents that writes at the edge hide: by id, or by number where the shard has told the numbers before. */
export type Hidden = { readonly ids: readonly string[] } | { readonly documents: Uint16Array<ArrayBuffer> };

/** How ready a shard object is. */
export interface ShardState {
  /** What the call had to do: nothing, wake from the object's own storage, or load from the store. */
  readonly from: "memory" | "storage" | "store";
  /** Bytes of memory that the shard takes. */
  readonly residentBytes: number;
}

/** What is asked of a shard object and what it answers, by the name of the call. */
export interface ShardCalls {
  readonly propose: {
    readonly request: { readonly query: EncodedQuery; readonly pool: Pool; readonly hidden: Hidden };
    readonly answer: {
      readonly proposals: ShardProposals;
      /** Numbers of the hidden documents that this shard has, ascending. */
      readonly hidden: Uint16Array<ArrayBuffer>;
    };
  };
  readonly score: {
    readonly request: { readonly query: EncodedQuery; readonly documents: Uint32Array<ArrayBuffer> };
    readonly answer: ScoredDocuments;
  };
  readonly evidence: {
    readonly request: { readonly chunks: readonly ChunkPlace[]; readonly terms: readonly number[] };
    readonly answer: ShardEvidence;
  };
  readonly locate: {
    readonly request: { readonly id: string };
    readonly answer: Place | null;
  };
  /** Makes the shard ready, and computes nothing. */
  readonly ready: {
    readonly request: Readonly<Record<string, never>>;
    readonly answer: ShardState;
  };
}

/** The name of a call. */
export type ShardCallName = keyof ShardCalls;

/** A call on its way. */
export interface ShardMessage<Name extends ShardCallName = ShardCallName> {
  readonly wire: number;
  readonly name: Name;
  readonly address: ShardAddress;
  readonly request: ShardCalls[Name]["request"];
  /** Milliseconds after which nobody waits for the answer any more. */
  readonly patienceMs: number;
}

/** What comes back: an answer, or why there is none. Errors do not cross as errors, since those lose their codes. */
export type ShardReply<Name extends ShardCallName = ShardCallName> =
  | { readonly answer: ShardCalls[Name]["answer"] }
  | { readonly refusal: { readonly code: ErrorCode; readonly message: string; readonly blob?: string } };

/** The way to shards elsewhere. */
export interface ShardPort {
  /**
   * Asks one shard. Throws what the shard refused with; `shard/unavailable` where it cannot be reached or does not
   * answer in `patienceMs`, `shard/overloaded` where it has more calls than it takes.
   */
  ask<Name extends ShardCallName>(
    name: Name,
    address: ShardAddress,
    request: ShardCalls[Name]["request"],
    patienceMs: number,
  ): Promise<ShardCalls[Name]["answer"]>;
}
