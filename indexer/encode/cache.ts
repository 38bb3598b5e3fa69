/** Encodings kept by content: what was encoded once, by this encoder, is never encoded again. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Encoder, Encoding, Wanted } from "./encoder.ts";
import { KEY_BYTES, Packs } from "./packs.ts";
import { encodingFromBytes, encodingToBytes } from "./records.ts";

/** Texts encoded before they are saved: at most this much work is lost by a stop. */
export const SLICE = 512;

/** How often the cache had what was asked for, in texts. */
export interface CacheCounts {
  readonly hits: number;
  readonly misses: number;
}

/** An encoder that remembers. */
export interface CachedEncoder extends Encoder {
  readonly counts: CacheCounts;
}

/** Brings packs from elsewhere into a folder that lacks them, and resolves to the names of all that are there now. */
export type FetchPacks = (folder: string) => Promise<Iterable<string>>;

/** The folder, in a folder of caches, with what this encoder encoded. */
export function packFolder(folder: string, encoderHash: string): string {
  return join(folder, encoderHash.slice(0, 16));
}

/** What an encoding is kept under. */
export function cacheKey(encoderHash: string, text: string, { role, task, dense, sparse }: Wanted): Buffer {
  // The prompt is in the encoder's hash by task and role, so these name it.
  const head = JSON.stringify([encoderHash, role, task, dense, sparse]);
  return createHash("sha256")
    .update(head)
    .update("\0")
    .update(text.toWellFormed())
    .digest()
    .subarray(0, KEY_BYTES);
}

/**
 * Puts a cache in `folder` before an encoder. Encodings are exact halves, so a cached one equals a
 * fresh one to the bit. `fetch` is asked once, when the first text is not there.
 */
export function cachedEncoder(encoder: Encoder, folder: string, fetch?: FetchPacks): CachedEncoder {
  const { encoderHash } = encoder.model;
  const own = packFolder(folder, encoderHash);
  const packs = new Packs(own);
  const counts = { hits: 0, misses: 0 };
  let toFetch = fetch;

  function find(key: Buffer): Encoding | null {
    const bytes = packs.get(key);
    return bytes && encodingFromBytes(bytes);
  }

  return {
    model: encoder.model,
    provider: encoder.provider,
    openRows: (plan) => encoder.openRows(plan),
    counts,
    async encode(texts, wanted, onProgress = () => {}) {
      const keys = texts.map((text) => cacheKey(encoderHash, text, wanted));
      const found = keys.map(find);
      if (toFetch !== undefined && found.includes(null)) {
        packs.add(await toFetch(own));
        toFetch = undefined;
        for (const [at, key] of keys.entries()) found[at] ??= find(key);
      }
      const encodings = new Array<Encoding>(texts.length);
      const missing = new Map<string, number[]>();
      let hits = 0;
      found.forEach((encoding, at) => {
        if (encoding !== null) {
          encodings[at] = encoding;
          hits++;
          return;
        }
        const name = keys[at]!.toString("latin1");
        const places = missing.get(name);
        if (places === undefined) missing.set(name, [at]);
        else places.push(at);
      });
      counts.hits += hits;
      counts.misses += missing.size;
      if (hits > 0) onProgress(hits);
      const groups = [...missing.values()];
      for (let first = 0; first < groups.length; first += SLICE) {
        const slice = groups.slice(first, first + SLICE);
        const fresh = await encoder.encode(
          slice.map(([at]) => texts[at!]!),
          wanted,
        );
        packs.put(
          fresh.map((encoding, i) => ({ key: keys[slice[i]![0]!]!, value: encodingToBytes(encoding) })),
        );
        slice.forEach((places, i) => {
          // Callers rotate vectors where they lie, so no two places may share one.
          for (const at of places) encodings[at] = at === places[0] ? fresh[i]! : structuredClone(fresh[i]!);
          onProgress(places.length);
        });
      }
      return encodings;
    },
    async close() {
      packs.close();
      await encoder.close();
    },
  };
}
