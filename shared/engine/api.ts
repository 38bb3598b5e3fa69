/**
 * What the engine offers to those that serve it: the Worker, the command line, tests
 * and evaluation. One code path in all of them; only the ports differ.
 */
import type { StoredDocument } from "../format/document-block.ts";
import type { InboxEntry } from "../format/inbox.ts";
import type { Manifest } from "../format/manifest.ts";
import type { OverlayFile } from "../format/overlay.ts";
import type { Kernels } from "../kernels/kernels.ts";
import type { ReadStore } from "../store/store.ts";
import type { Placement, SearchAnswer, SearchRequest } from "../types.ts";
import type { ShardPort } from "./wire.ts";

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
  /** The way to shards in Durable Objects; absent where all are kept in memory. */
  readonly shards?: ShardPort;
}

/** A write at the edge that no version holds yet. */
export interface WaitingWrite {
  readonly entry: InboxEntry;
  /** Length of its entry in the inbox. */
  readonly bytes: number;
}

/** An index loaded at one version: verified, resident, never changing but for the writes laid over it. */
export interface OpenIndex {
  readonly name: string;
  readonly manifest: Manifest;
  /** `seq` and the first 8 digits of the manifest's digest, as `7-1a2b3c4d`. */
  readonly version: string;
  /** Digest of the manifest, to tell whether the pointer still names this version. */
  readonly manifestSha256: string;
  /** Bytes held: tables, shards, directories; the document cache is counted apart. */
  readonly residentBytes: number;
  /** Where its shards are; in this isolate when absent. */
  readonly placement?: Placement;
  /** Has all shards made ready, wherever they are, so that the next search waits for none. Nothing to do for those in this isolate. Throws what a shard failed with. */
  warm(): Promise<void>;
  /** Which writes at the edge this version holds already; null where it holds none. */
  readonly overlay: OverlayFile | null;
  /** The writes laid over it, ascending; none as it comes from the store. */
  readonly waiting: readonly WaitingWrite[];
  /** Bytes that they take, and how many documents among them found no room and are not laid: the last written. */
  readonly waitingBytes: number;
  readonly left: number;
  /** How many more are known to wait and could not be read; `left` counts them too. */
  readonly unread: number;
  /**
   * Reads what encoding these writes takes, where the query table is not in memory as a whole; `withWrites` leaves out
   * what was not prepared. Throws what reading the store does.
   */
  prepare(writes: readonly WaitingWrite[]): Promise<void>;
  /**
   * The same version with these writes laid over it, ascending and none of them held by it: what they
   * put is found, what they delete is not. They take at most `capBytes`. The index this is called on
   * answers from then on as the new one does, since both share the memory for what was written. Cost: some
   * milliseconds for 100 KiB of text that it has not seen before; little for what it has.
   */
  withWrites(writes: readonly WaitingWrite[], capBytes: number, unread?: number): OpenIndex;
  /** How many documents of these writes `withWrites` would leave out. Lays nothing; costs as much, and spares it that. */
  leavesOut(writes: readonly WaitingWrite[], capBytes: number): number;
  /** `patienceMs` is for its shards, where they are elsewhere: those that take longer are left out. `SHARD_LIMITS.patienceMs` when absent. */
  search(request: SearchRequest, patienceMs?: number): Promise<SearchAnswer>;
  /** The document with this id, or null. At most one range read. `patienceMs` as for a search. */
  document(id: string, patienceMs?: number): Promise<StoredDocument | null>;
}
