/**
 * A small real index and what can happen to its objects. A damaged store must answer with an error or as
 * the whole one does, and `checkIndex` must say that something is wrong.
 */
import { checkIndex } from "../../indexer/check.ts";
import { asLightedgeError } from "../../shared/errors.ts";
import { checkRange } from "../../shared/store/range.ts";
import type { ObjectInfo, ReadStore, StoredObject } from "../../shared/store/store.ts";
import type { SearchAnswer } from "../../shared/types.ts";
import { buildTiny, openTiny, requestFor, TINY } from "../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../helpers/tiny-corpus.ts";

/** Objects of a store by key. */
export type Objects = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** Documents of the small index: enough for several passages, few enough to flip every bit. */
const DOCUMENTS = 6;
const QUERIES = ["wave harbour", "the king and queen signed", "bread"];

/** The objects of a small index, about 14 KiB. */
export async function smallIndex(seed = 1): Promise<Objects> {
  const { store } = await buildTiny({ source: sourceOf(tinyDocuments(DOCUMENTS, seed)), bits: 2 });
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  for await (const { key } of store.list("")) objects.set(key, (await store.get(key))!.body);
  return objects;
}

/** These objects as a store that is only read. */
export function storeOf(objects: Objects): ReadStore {
  const info = (key: string, body: Uint8Array): ObjectInfo => ({
    key,
    bytes: body.length,
    etag: "-",
    modified: 0,
  });
  return {
    async get(key): Promise<StoredObject | null> {
      const body = objects.get(key);
      return body === undefined ? null : { ...info(key, body), body: body.slice() };
    },
    async getRange(key, offset, length) {
      const body = objects.get(key);
      if (body === undefined) return null;
      checkRange(key, offset, length, body.length);
      return body.slice(offset, offset + length);
    },
    async head(key) {
      const body = objects.get(key);
      return body === undefined ? null : info(key, body);
    },
  };
}

/** The same objects with one in the place of another, or gone. */
export function replaced(objects: Objects, key: string, body: Uint8Array<ArrayBuffer> | null): Objects {
  const others = new Map(objects);
  if (body === null) others.delete(key);
  else others.set(key, body);
  return others;
}

/** A body with bit `bit` the other way round. */
export function flipped(body: Uint8Array<ArrayBuffer>, bit: number): Uint8Array<ArrayBuffer> {
  const copy = body.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

/** What is asked of every store, and what the whole one says. */
export interface Questions {
  readonly right: readonly string[];
}

/** Asks the whole store. */
export async function askWhole(objects: Objects): Promise<Questions> {
  return { right: await answers(storeOf(objects)) };
}

/** What is wrong with how a damaged store was met; empty where it was met as it must be. */
export async function judge(damaged: Objects, { right }: Questions): Promise<readonly string[]> {
  const store = storeOf(damaged);
  const wrong: string[] = [];
  try {
    const found = await answers(store);
    if (found.some((answer, at) => answer !== right[at]))
      wrong.push("answers otherwise than the whole store");
  } catch (error) {
    if (asLightedgeError(error).code === "internal") wrong.push(`breaks instead of refusing: ${error}`);
  }
  try {
    if ((await checkIndex(store, TINY)).problems.length === 0) wrong.push("is sound by the check");
  } catch (error) {
    if (asLightedgeError(error).code === "internal") wrong.push(`breaks the check: ${error}`);
  }
  return wrong;
}

/** All answers as texts, without what differs from one asking to the next. */
async function answers(store: ReadStore): Promise<readonly string[]> {
  const index = await openTiny(store);
  const found: string[] = [];
  for (const q of QUERIES) {
    for (const mode of ["hybrid", "dense", "sparse"] as const) {
      const answer: SearchAnswer = await index.search(requestFor(q, { mode, explain: true }));
      found.push(JSON.stringify({ ...answer, took_ms: 0 }));
    }
  }
  return found;
}
