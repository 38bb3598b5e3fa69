/**
 * One part of many of the encoding of a corpus. A text belongs to a part by the digest it is cached under, so any
 * number of machines agree who encodes what without a word between them, and no part depends on the
 * order of the documents.
 */
import { LightedgeError, printable } from "../../shared/errors.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { cacheKey, packFolder, SLICE } from "./cache.ts";
import type { Encoder, Encoding, Wanted } from "./encoder.ts";
import { PACK_BYTES, type PackRecord, Packs, sizeOf } from "./packs.ts";
import { encodingFromBytes, encodingToBytes } from "./records.ts";
import { fetchPacks, uploadPack } from "./shared-cache.ts";

/** Part `number`, from 1, of `of`. */
export interface Part {
  readonly number: number;
  readonly of: number;
}

/** Machines that one corpus can be split over. */
const MOST_PARTS = 1000;
/** Milliseconds after which what was encoded is put into the store, though its pack is not full. */
const UPLOAD_EVERY_MS = 300_000;

/** The part that a text such as `3/8` names. Throws `usage/invalid`. */
export function parsePart(text: string): Part {
  const [, number, of] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number);
  if (number !== undefined && of !== undefined && number >= 1 && number <= of && of <= MOST_PARTS)
    return { number, of };
  throw new LightedgeError(
    "usage/invalid",
    `--part must be a part of all, from 1/1 to ${MOST_PARTS}/${MOST_PARTS}, such as 3/8 for the third of eight, not ${printable(text)}.`,
    { field: "part", value: printable(text), limit: MOST_PARTS },
  );
}

/** What a part did so far, in texts. */
export interface PartCounts {
  /** Different texts of this part. */
  readonly own: number;
  readonly encoded: number;
  /** Those of the local cache that the store lacked. */
  readonly copied: number;
  /** Packs put into the store, and their bytes. */
  readonly packs: number;
  readonly bytes: number;
}

/** An encoder of one part. What it gives means nothing: every vector is of zeros. */
export interface PartEncoder extends Encoder {
  readonly part: Part;
  readonly counts: PartCounts;
  /** Puts what is left into the store. */
  finish(): Promise<void>;
}

/** What the encoder of a part needs beside the part. */
export interface PartOptions {
  readonly store: WriteStore;
  /** Folder of caches. */
  readonly folder: string;
  readonly warn: (message: string) => void;
  /** Milliseconds since any time, never going back. */
  readonly now?: () => number;
  /** Bytes of a pack at most; `PACK_BYTES` when absent. */
  readonly packBytes?: number;
}

/**
 * Puts before an encoder what encodes the texts of one part only, and puts their encodings into the store
 * as it goes: stopped anywhere, what was put there stays. What the store has already is neither
 * encoded nor put there again. Cost: every pack of the store that the local cache lacks is fetched.
 */
export async function partEncoder(
  encoder: Encoder,
  part: Part,
  { store, folder, warn, now = () => performance.now(), packBytes = PACK_BYTES }: PartOptions,
): Promise<PartEncoder> {
  const { encoderHash, dimension } = encoder.model;
  const own = packFolder(folder, encoderHash);
  const stored = new Set(await fetchPacks(store, encoderHash, own, warn));
  const packs = new Packs(own, stored);
  const counts = { own: 0, encoded: 0, copied: 0, packs: 0, bytes: 0 };
  const seen = new Set<string>();
  let uploaded = now();

  async function upload(): Promise<void> {
    uploaded = now();
    const pack = packs.seal();
    if (pack === null) return;
    if (await uploadPack(store, encoderHash, pack)) {
      counts.packs++;
      counts.bytes += pack.bytes.length;
    }
    stored.add(pack.name);
  }

  async function keep(records: readonly PackRecord[]): Promise<void> {
    if (packs.pendingBytes + sizeOf(records) > packBytes) await upload();
    packs.put(records);
    if (now() - uploaded >= UPLOAD_EVERY_MS) await upload();
  }

  /** The record of this key in the local cache, if it is sound. */
  function localRecord(key: Buffer): PackRecord | null {
    const value = packs.get(key);
    return value === null || encodingFromBytes(value) === null ? null : { key, value };
  }

  /** The texts of this part that the store lacks, each once; what the local cache has of them is kept for it. */
  async function lacking(texts: readonly string[], wanted: Wanted) {
    const missing: { readonly text: string; readonly key: Buffer }[] = [];
    for (const text of texts) {
      const key = cacheKey(encoderHash, text, wanted);
      const name = key.toString("latin1");
      if (!isIn(key, part) || seen.has(name)) continue;
      seen.add(name);
      counts.own++;
      const where = packs.whereIs(key);
      if (where === "pending" || (where !== null && stored.has(where))) continue;
      const local = where === null ? null : localRecord(key);
      if (local === null) {
        missing.push({ text, key });
        continue;
      }
      counts.copied++;
      await keep([local]);
    }
    return missing;
  }

  return {
    model: encoder.model,
    part,
    provider: encoder.provider,
    openRows: (plan) => encoder.openRows(plan),
    counts,
    async encode(texts, wanted, onProgress = () => {}) {
      const missing = await lacking(texts, wanted);
      onProgress(texts.length - missing.length);
      for (let first = 0; first < missing.length; first += SLICE) {
        const slice = missing.slice(first, first + SLICE);
        const fresh = await encoder.encode(
          slice.map(({ text }) => text),
          wanted,
        );
        counts.encoded += slice.length;
        await keep(fresh.map((encoding, at) => ({ key: slice[at]!.key, value: encodingToBytes(encoding) })));
        onProgress(slice.length);
      }
      return texts.map(() => zeroEncoding(dimension, wanted));
    },
    finish: upload,
    async close() {
      packs.close();
      await encoder.close();
    },
  };
}

/** Keys are digests, so their first bits share texts out evenly. */
function isIn(key: Buffer, { number, of }: Part): boolean {
  return Math.floor((key.readUInt32BE(0) / 2 ** 32) * of) === number - 1;
}

/** An encoding of zeros: in the place of one that nobody will look at. */
export function zeroEncoding(dimension: number, { dense, sparse }: Wanted): Encoding {
  return {
    dense: dense ? new Float32Array(dimension) : null,
    sparse: sparse ? { ids: new Uint32Array(0), values: new Float32Array(0) } : null,
  };
}
