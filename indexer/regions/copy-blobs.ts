/** The blobs of a version, brought from one store to another and read back there. */
import { createHash } from "node:crypto";
import { asLightedgeError, LightedgeError } from "../../shared/errors.ts";
import type { BlobEntry } from "../../shared/format/manifest.ts";
import { sha256 } from "../../shared/hash.ts";
import { inTurns } from "../../shared/in-turns.ts";
import { MIB } from "../../shared/limits.ts";
import type { ReadStore, WriteStore } from "../../shared/store/store.ts";

/**
 * What is read back in a region, to the last byte, beside the blobs that this run writes: they always are. `head`: nothing, a
 * length will do. `new`: what the region's version does not name, since a run that died may have left it. `full`: all,
 * which is how damage of a disk or a hand is found.
 */
export const VERIFY = ["head", "new", "full"] as const;
/** One of them. */
export type Verify = (typeof VERIFY)[number];

/** Blobs under way at once; each is in memory whole, some 32 MiB. */
const AT_ONCE = 4;
/** Bytes of one read: a connection that breaks costs no more than this. */
const PIECE = 8 * MIB;

/** What it came to. */
export interface CopyReport {
  /** Blobs that were not there. */
  readonly copied: number;
  /** Blobs that were there and not sound, and were written again. */
  readonly repaired: number;
  /** Bytes of both. */
  readonly bytes: number;
  /** Bytes that were read back in the region and are what they should be. */
  readonly verified: number;
}

/** What to bring from where to where. */
export interface CopyRequest {
  readonly home: ReadStore;
  readonly region: WriteStore;
  readonly blobs: readonly BlobEntry[];
  /** Keys that were read back when an earlier version brought them. */
  readonly known: ReadonlySet<string>;
  readonly verify: Verify;
  /** Told of bytes as they are done with. */
  advance(bytes: number): void;
}

/**
 * Sees to it that all blobs are in the region, and sound. Throws `blob/missing` or `blob/corrupt` for what home has not, or not
 * whole, and for what the region gives back otherwise than it was given; and what the stores throw. What was
 * copied stays: the next run goes on from there. Cost: a look at each blob; a read at home, a write and a read in the region for each that is lacking.
 */
export async function copyBlobs(request: CopyRequest): Promise<CopyReport> {
  const { home, region, known, verify, advance } = request;
  const report = { copied: 0, repaired: 0, bytes: 0, verified: 0 };
  const blobs = [...new Map(request.blobs.map((blob) => [blob.key, blob])).values()];
  let failed = false;
  const copyOne = async (blob: BlobEntry) => {
    const found = await region.head(blob.key);
    const trusted = verify === "head" || (verify === "new" && known.has(blob.key));
    const sound = found?.bytes === blob.bytes && (trusted || (await isSound(region, blob)));
    if (!sound) {
      await bring(home, region, blob);
      if (found === null) report.copied++;
      else report.repaired++;
      report.bytes += blob.bytes;
    }
    if (!sound || !trusted) report.verified += blob.bytes;
    advance(blob.bytes);
  };
  await inTurns(blobs, AT_ONCE, async (blob) => {
    // No more is begun once one has failed: the region may be down, and each would take all its tries.
    if (failed) return;
    try {
      await copyOne(blob);
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  return report;
}

async function bring(home: ReadStore, region: WriteStore, blob: BlobEntry): Promise<void> {
  const body = await readWhole(home, blob);
  const { bytes } = await region.put(blob.key, body);
  if (bytes === blob.bytes && (await isSound(region, blob))) return;
  throw new LightedgeError(
    "blob/corrupt",
    `${blob.key} came back from the region's store otherwise than it was written. The pointer there was not moved; run it again.`,
    { blob: blob.key },
  );
}

/** A blob's bytes, by pieces where it is large, length and digest checked. What comes damaged is read once more. */
async function readWhole(home: ReadStore, blob: BlobEntry): Promise<Uint8Array<ArrayBuffer>> {
  const { key, bytes, sha256: digest } = blob;
  const body = new Uint8Array(bytes);
  for (let attempt = 0; attempt < 2; attempt++) {
    for (const { offset, length } of piecesOf(bytes)) {
      const piece = await home.getRange(key, offset, length);
      if (piece === null) throw missing(key);
      body.set(piece, offset);
    }
    if ((await sha256(body)) === digest) return body;
  }
  const message = `${key} is damaged in the home store, so it was not copied. Build the index again: lightedge reindex --rebuild all.`;
  throw new LightedgeError("blob/corrupt", message, { blob: key });
}

/** Whether the store has this blob to the bit; one piece of it is in memory at a time. */
export async function isSound(store: ReadStore, { key, bytes, sha256: digest }: BlobEntry): Promise<boolean> {
  const hash = createHash("sha256");
  for (const { offset, length } of piecesOf(bytes)) {
    let piece: Uint8Array | null;
    try {
      piece = await store.getRange(key, offset, length);
    } catch (error) {
      // Shorter than it says it is.
      if (asLightedgeError(error).code === "blob/corrupt") return false;
      throw error;
    }
    if (piece === null) return false;
    hash.update(piece);
  }
  return hash.digest("hex") === digest;
}

function* piecesOf(bytes: number): Generator<{ readonly offset: number; readonly length: number }> {
  for (let offset = 0; offset < bytes; offset += PIECE)
    yield { offset, length: Math.min(PIECE, bytes - offset) };
}

function missing(key: string): LightedgeError {
  const message = `${key} is not in the home store, so it was not copied.`;
  return new LightedgeError("blob/missing", message, { blob: key });
}
