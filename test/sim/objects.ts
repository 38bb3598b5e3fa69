/** The objects of a store as a map, to be damaged one at a time without copying the rest. */
import { checkRange } from "../../shared/store/range.ts";
import type { ObjectInfo, StoredObject, WriteStore } from "../../shared/store/store.ts";

/** Objects of a store by key. */
export type Objects = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** All objects of a store. */
export async function objectsOf(store: WriteStore): Promise<Objects> {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  for await (const { key } of store.list("")) objects.set(key, (await store.get(key))!.body);
  return objects;
}

/** These objects as a store that refuses to be written. */
export function storeOf(objects: Objects): WriteStore {
  const info = (key: string): ObjectInfo | null => {
    const body = objects.get(key);
    return body === undefined ? null : { key, bytes: body.length, etag: "-", modified: 0 };
  };
  const refuse = (): Promise<never> => Promise.reject(new Error("This store is only read."));
  return {
    async get(key): Promise<StoredObject | null> {
      const found = info(key);
      return found === null ? null : { ...found, body: objects.get(key)!.slice() };
    },
    async getRange(key, offset, length) {
      const body = objects.get(key);
      if (body === undefined) return null;
      checkRange(key, offset, length, body.length);
      return body.slice(offset, offset + length);
    },
    async head(key) {
      return info(key);
    },
    async *list(prefix) {
      for (const key of [...objects.keys()].filter((name) => name.startsWith(prefix)).sort())
        yield info(key)!;
    },
    put: refuse,
    putIfAbsent: refuse,
    putIfMatch: refuse,
    delete: refuse,
  };
}

/** The same objects with another body under a key, or none. */
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
