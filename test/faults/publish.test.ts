/** Publishing with a store that breaks at any operation in any way. */
import { describe, expect, it } from "vitest";
import {
  type CommitOutcome,
  commit,
  type PublishPorts,
  putBlob,
  readPointer,
} from "../../indexer/store/publish.ts";
import type { StoredPointer } from "../../shared/format/pointer.ts";
import { sha256 } from "../../shared/hash.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import type { PutOutcome, ReadStore, WriteStore } from "../../shared/store/store.ts";
import { FAULTS, type Fault, FaultStore } from "../helpers/fault-store.ts";

const INDEX = "test";
const POINTER = "indexes/test/current.json";
let drawn = 0;
const PORTS: PublishPorts = {
  // Different every time, as a commit id must be.
  randomBytes: (length) => {
    const bytes = new Uint8Array(length);
    new DataView(bytes.buffer).setUint32(0, ++drawn);
    return bytes;
  },
  pause: async () => {},
};

const OLD = ["shared blob", "old blob"];
const NEW = ["shared blob", "new blob", "another new blob"];
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Stores blobs with these contents and commits a manifest that lists their keys. */
async function publish(
  store: WriteStore,
  contents: readonly string[],
  base?: StoredPointer | null,
): Promise<CommitOutcome> {
  const blobs = [];
  for (const text of contents) blobs.push(await putBlob(store, utf8(text)));
  const manifest = utf8(JSON.stringify(blobs.map(({ key, sha256: digest }) => [key, digest])));
  return commit(store, INDEX, { manifest, blobs, ...(base === undefined ? {} : { base }) }, PORTS);
}

/** The contents of the current version, every digest checked; null where there is none. */
async function readVersion(store: ReadStore): Promise<readonly string[] | null> {
  const stored = await readPointer(store, INDEX);
  if (stored === null) return null;
  const { manifest } = stored.pointer;
  const text = (await store.get(manifest.key))!.body;
  expect(await sha256(text)).toBe(manifest.sha256);
  const entries = JSON.parse(new TextDecoder().decode(text)) as readonly (readonly [string, string])[];
  return Promise.all(
    entries.map(async ([key, digest]) => {
      const { body } = (await store.get(key))!;
      expect(await sha256(body)).toBe(digest);
      return new TextDecoder().decode(body);
    }),
  );
}

/** A store with the old version in it, or with nothing. */
async function storeWith(old: readonly string[] | null): Promise<MemoryStore> {
  const store = new MemoryStore();
  if (old !== null) expect((await publish(store, old)).kind).toBe("committed");
  return store;
}

/** What publishing asks of a store that never breaks. */
async function operationsOf(old: readonly string[] | null): Promise<readonly string[]> {
  const store = new FaultStore(await storeWith(old));
  await publish(store, NEW);
  return store.log;
}

/** Publishes the new version with one operation broken: the outcome, or the code of what was thrown. */
async function publishBroken(inner: MemoryStore, at: number, fault: Fault): Promise<string> {
  try {
    return (await publish(new FaultStore(inner, at, fault), NEW)).kind;
  } catch (error) {
    expect(error).toMatchObject({ code: "store/unavailable" });
    return "thrown";
  }
}

describe.each([
  ["over an old version", OLD],
  ["of the first version", null],
] as const)("publishing %s", (_, old) => {
  it("writes the pointer last, with one conditional write", async () => {
    const writes = (await operationsOf(old)).filter((name) => name.startsWith("put"));
    expect(writes.at(-1)).toBe(`${old === null ? "putIfAbsent" : "putIfMatch"} ${POINTER}`);
    expect(writes.filter((name) => name.endsWith(POINTER)).length).toBe(1);
  });

  it.each(FAULTS)(
    "leaves the old version whole or the new one, whatever operation breaks (%s)",
    async (fault) => {
      const operations = await operationsOf(old);
      expect(operations.length).toBeGreaterThan(8);
      const seen = new Set<string>();
      for (const [at, name] of operations.entries()) {
        const store = await storeWith(old);
        const outcome = await publishBroken(store, at, fault);
        const where = `${fault} at ${at}: ${name}`;
        const now = await readVersion(store);
        const isNew = JSON.stringify(now) === JSON.stringify(NEW);
        if (!isNew) expect(now, where).toEqual(old);
        // What was promised holds, and nothing is promised wrongly.
        if (outcome === "committed") expect(isNew, where).toBe(true);
        if (outcome === "thrown") expect(isNew, where).toBe(false);
        // Nobody else writes here.
        expect(outcome, where).not.toBe("conflict");
        seen.add(outcome);
      }
      expect(seen).toContain("thrown");
      expect(seen).toContain(fault.startsWith("crash") ? "unknown" : "committed");
    },
  );

  it.each(FAULTS)("completes when it is run again after any break (%s)", async (fault) => {
    for (const at of (await operationsOf(old)).keys()) {
      const store = await storeWith(old);
      await publishBroken(store, at, fault);
      expect((await publish(store, NEW)).kind).toBe("committed");
      expect(await readVersion(store)).toEqual(NEW);
    }
  });

  it("reports a committed write as committed where only its answer was lost", async () => {
    const at = (await operationsOf(old)).findIndex(
      (name) => name.startsWith("put") && name.endsWith(POINTER),
    );
    const store = await storeWith(old);
    const before = await readPointer(store, INDEX);
    expect(await publishBroken(store, at, "fail after")).toBe("committed");
    // Once, not twice.
    expect((await readPointer(store, INDEX))?.pointer.seq).toBe((before?.pointer.seq ?? 0) + 1);
  });

  it("writes the pointer again where the first write was lost on its way", async () => {
    const at = (await operationsOf(old)).findIndex(
      (name) => name.startsWith("put") && name.endsWith(POINTER),
    );
    const store = await storeWith(old);
    expect(await publishBroken(store, at, "fail before")).toBe("committed");
    expect(await readVersion(store)).toEqual(NEW);
  });

  it("reports unknown, and neither success nor conflict, where the store dies at the write", async () => {
    const at = (await operationsOf(old)).findIndex(
      (name) => name.startsWith("put") && name.endsWith(POINTER),
    );
    for (const fault of ["crash", "crash after"] as const)
      expect(await publishBroken(await storeWith(old), at, fault)).toBe("unknown");
  });
});

describe("a writer with an etag from before a rollback", () => {
  it("gets a conflict although the manifest is the one it remembers", async () => {
    const store = await storeWith(OLD);
    const base = (await readPointer(store, INDEX))!;
    await publish(store, NEW);
    await publish(store, OLD);
    expect((await readPointer(store, INDEX))?.pointer.manifest).toEqual(base.pointer.manifest);
    expect((await publish(store, ["mine"], base)).kind).toBe("conflict");
    expect(await readVersion(store)).toEqual(OLD);
  });

  it("gets one too where its write was under way while the rollback happened", async () => {
    const inner = await storeWith(OLD);
    const slow = new (class extends FaultStore {
      override async putIfMatch(
        key: string,
        body: Uint8Array<ArrayBuffer>,
        etag: string,
      ): Promise<PutOutcome> {
        await publish(inner, NEW);
        await publish(inner, OLD);
        return super.putIfMatch(key, body, etag);
      }
    })(inner);
    expect((await publish(slow, ["mine"])).kind).toBe("conflict");
    expect(await readVersion(inner)).toEqual(OLD);
  });
});

describe("a commit", () => {
  it("of a blob that is absent or has another length changes nothing", async () => {
    const store = await storeWith(OLD);
    const blob = await putBlob(store, utf8("a blob"));
    const attempt = (blobs: readonly { key: string; bytes: number }[]) =>
      commit(store, INDEX, { manifest: utf8("[]"), blobs }, PORTS);
    await expect(attempt([{ key: blob.key, bytes: 5 }])).rejects.toMatchObject({ code: "blob/corrupt" });
    await store.delete(blob.key);
    await expect(attempt([blob])).rejects.toMatchObject({ code: "blob/missing" });
    expect(await readVersion(store)).toEqual(OLD);
  });

  it("by two writers at once from the same version is won by one of them", async () => {
    const store = await storeWith(OLD);
    const base = (await readPointer(store, INDEX))!;
    const outcomes = await Promise.all(["one", "two", "three"].map((text) => publish(store, [text], base)));
    const won = outcomes.flatMap(({ kind }, at) =>
      kind === "committed" ? [["one", "two", "three"][at]!] : [],
    );
    expect(won.length).toBe(1);
    expect(outcomes.filter(({ kind }) => kind === "conflict").length).toBe(2);
    expect(await readVersion(store)).toEqual(won);
  });

  it("replaces what has another length under a blob's digest", async () => {
    const store = new MemoryStore();
    const { key } = await putBlob(store, utf8("a blob"));
    await store.put(key, utf8("a bl"));
    expect((await putBlob(store, utf8("a blob"))).written).toBe(true);
    expect(new TextDecoder().decode((await store.get(key))!.body)).toBe("a blob");
    expect((await putBlob(store, utf8("a blob"))).written).toBe(false);
  });
});
