/**
 * What the engine offers to those that serve it: the Worker, the command line, tests
 * and evaluation. One code path in all of them; only the ports differ.
 */
import type { StoredDocument } from "../format/document-block.ts";
import type { Manifest } from "../format/manifest.ts";
import type { Kernels } from "../kernels/kernels.ts";
import type { ReadStore } from "../store/store.ts";
import type { SearchAnswer, SearchRequest } from "../types.ts";

export type { StoredDocument } from "../format/document-block.ts";

/** What the engine needs from the place it runs in. */
export interface EnginePorts {
  readonly store: ReadStore;
  /** A fresh kernel instance whose memory stays below this many bytes. */
  kernels(capBytes: number): Kernels;
  /** Milliseconds from any fixed point. */
  now(): number;
  /** Name of the region that answers, as it stands in answers. */
  readonly region: string;
}

/** An index loaded at one version: verified, resident, never changing. */
export interface OpenIndex {
  readonly name: string;
  readonly manifest: Manifest;
  /** `seq` and the first 8 digits of the manifest's digest, as `7-1a2b3c4d`. */
  readonly version: string;
  /** Digest of the manifest, to tell whether the pointer still names this version. */
  readonly manifestSha256: string;
  /** Bytes held: tables, shards, directories; the document cache is counted apart. */
  readonly residentBytes: number;
  search(request: SearchRequest): Promise<SearchAnswer>;
  /** The document with this id, or null. At most one range read. */
  document(id: string): Promise<StoredDocument | null>;
}
