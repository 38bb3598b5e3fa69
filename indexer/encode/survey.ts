/** An encoder that encodes nothing and notes what it would have to: what a dry run counts with. */
import { cacheKey, type FetchPacks, packFolder } from "./cache.ts";
import type { Encoder, Wanted } from "./encoder.ts";
import { Packs } from "./packs.ts";
import { zeroEncoding } from "./part.ts";

/** A text that is in no cache. */
export interface MissingText {
  readonly text: string;
  readonly wanted: Wanted;
}

/** A surveyor. What it gives means nothing: every vector is of zeros. */
export interface SurveyEncoder extends Encoder {
  /** Texts asked for so far that the cache lacks, each once, and how many it has. */
  readonly missing: readonly MissingText[];
  readonly known: number;
}

/** Puts a survey of the cache in `folder` before an encoder, of which only the model is asked. `fetch` as for `cachedEncoder`. */
export function surveyEncoder(encoder: Encoder, folder: string, fetch?: FetchPacks): SurveyEncoder {
  const { encoderHash, dimension } = encoder.model;
  const own = packFolder(folder, encoderHash);
  const packs = new Packs(own);
  const missing: MissingText[] = [];
  const seen = new Set<string>();
  let known = 0;
  let toFetch = fetch;
  return {
    model: encoder.model,
    provider: encoder.provider,
    openRows: (plan) => encoder.openRows(plan),
    missing,
    get known() {
      return known;
    },
    async encode(texts, wanted, onProgress = () => {}) {
      const keys = texts.map((text) => cacheKey(encoderHash, text, wanted));
      if (toFetch !== undefined && keys.some((key) => packs.get(key) === null)) {
        packs.add(await toFetch(own));
        toFetch = undefined;
      }
      keys.forEach((key, at) => {
        const name = key.toString("latin1");
        if (seen.has(name)) return;
        seen.add(name);
        if (packs.get(key) === null) missing.push({ text: texts[at]!, wanted });
        else known++;
      });
      onProgress(texts.length);
      return texts.map(() => zeroEncoding(dimension, wanted));
    },
    async close() {
      packs.close();
    },
  };
}
