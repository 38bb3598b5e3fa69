import {
  type CommitOutcome,
  commit,
  type PublishPorts,
  putBlob,
  readPointer,
} from "../../indexer/store/publish.ts";
import type { StoredPointer } from "../../shared/format/pointer.ts";
import { sha256 } from "../../shared/hash.ts";
import type { ReadStore, WriteStore } from "../../shared/store/store.ts";

/** Random bytes that count up, so that a run can be repeated, and pauses that take no time. */
export function testPorts(seed: number): PublishPorts {
  let next = seed;
  return {
    randomBytes: (length) => {
      next += 1;
      return Uint8Array.from({ length }, (_, at) => (next * 31 + at * 7) & 255);
    },
    pause: () => Promise.resolve(),
  };
}

/** Bytes of a manifest as this test knows it: the keys of its blobs with their lengths. */
interface TinyManifest {
  readonly blobs: readonly { readonly key: string; readonly bytes: number }[];
}

/** Publishes an index whose blobs are these texts, in the way the indexer does. */
export async function publishTexts(
  store: WriteStore,
  index: string,
  texts: readonly string[],
  ports: PublishPorts = testPorts(0),
  base?: StoredPointer | null,
): Promise<CommitOutcome> {
  const blobs: { key: string; bytes: number }[] = [];
  for (const text of texts) {
    const { key, bytes } = await putBlob(store, new TextEncoder().encode(text));
    blobs.push({ key, bytes });
  }
  const manifest = new TextEncoder().encode(JSON.stringify({ blobs } satisfies TinyManifest));
  const request = base === undefined ? { manifest, blobs } : { manifest, blobs, base };
  return commit(store, index, request, ports);
}

/** The texts of the current version, every byte checked against its digest; null where there is none. */
export async function readTexts(store: ReadStore, index: string): Promise<string[] | null> {
  const current = await readPointer(store, index);
  if (current === null) return null;
  const { key, sha256: digest, bytes } = current.pointer.manifest;
  const manifest: TinyManifest = JSON.parse(await readChecked(store, key, digest, bytes));
  return Promise.all(
    manifest.blobs.map((blob) => readChecked(store, blob.key, blob.key.slice("blobs/".length), blob.bytes)),
  );
}

async function readChecked(store: ReadStore, key: string, digest: string, bytes: number): Promise<string> {
  const found = await store.get(key);
  if (found === null) throw new Error(`${key} is missing.`);
  if (found.bytes !== bytes || (await sha256(found.body)) !== digest) throw new Error(`${key} is damaged.`);
  return new TextDecoder().decode(found.body);
}
