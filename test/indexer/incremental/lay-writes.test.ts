/** Writes at the edge, folded into versions by runs of the indexer. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkIndex } from "../../../indexer/check.ts";
import { type InboxEntry, serializeInboxEntry } from "../../../shared/format/inbox.ts";
import { loadEnvelope } from "../../../shared/format/load.ts";
import { blobsOf, type Manifest } from "../../../shared/format/manifest.ts";
import { inboxKey, type WriteId } from "../../../shared/format/names.ts";
import { readOverlay, unpackOverlay } from "../../../shared/format/overlay.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import type { Fields } from "../../../shared/types.ts";
import { buildTiny, openTiny, requestFor, TINY } from "../../helpers/tiny-build.ts";
import { documentOf, sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";

const KEEP_TABLE = { refitDrift: Number.POSITIVE_INFINITY, allowShrink: true };

/** The name of write number `n`, later ones above earlier ones. */
const writeId = (n: number) => `${String(1_700_000_000_000 + n)}-${"0".repeat(16)}` as WriteId;

async function put(store: MemoryStore, n: number, id: string, fields: Fields | null): Promise<WriteId> {
  const write = writeId(n);
  const head = { write, index: TINY, id };
  const entry: InboxEntry = fields === null ? { ...head, op: "delete" } : { ...head, op: "put", fields };
  await store.putIfAbsent(inboxKey(TINY, write), await serializeInboxEntry(entry));
  return write;
}

/** Ids of an index with what its documents say. */
async function contentsOf(store: MemoryStore, ids: readonly string[]): Promise<Record<string, unknown>> {
  const index = await openTiny(store);
  const found = await Promise.all(ids.map(async (id) => [id, (await index.document(id))?.fields ?? null]));
  return Object.fromEntries(found);
}

async function overlayOf(store: MemoryStore, manifest: Manifest) {
  const [entry] = blobsOf(manifest, "overlay");
  return unpackOverlay(readOverlay(await loadEnvelope(store, entry!)));
}

const DOCUMENTS = tinyDocuments(40);
const run = (store: MemoryStore, documents = DOCUMENTS, options = {}) =>
  buildTiny({ store, source: sourceOf(documents), ...KEEP_TABLE, ...options });

describe("a run of the indexer", () => {
  it("takes in what was put and deleted at the edge, by the full encoder", async () => {
    const { store } = await buildTiny();
    const text = "A comet and a galaxy over the harbour.";
    await put(store, 1, "edge-1", { title: "Put", text, year: 2026 });
    await put(store, 2, "twin-a", null);
    const encoder = tinyEncoder();
    const { plan, manifest } = await run(store, DOCUMENTS, { encoder });
    expect(plan).toMatchObject({ added: 1, changed: 0, removed: 1 });
    expect(encoder.encoded).toEqual([`Put ${text}`]);
    expect(manifest.counts.documents).toBe(40);
    expect(manifest.fields).toContainEqual({ name: "year", kind: "number" });
    expect(await contentsOf(store, ["edge-1", "twin-a"])).toEqual({
      "edge-1": { title: "Put", text, year: 2026 },
      "twin-a": null,
    });
    const { hits } = await (await openTiny(store)).search(requestFor("comet galaxy harbour"));
    expect(hits[0]?.id).toBe("edge-1");
  });

  it("takes each write in once, and writes nothing where none is new", async () => {
    const { store } = await buildTiny();
    await put(store, 1, "edge-1", { text: "A river." });
    const first = await run(store);
    const encoder = tinyEncoder();
    const again = await run(store, DOCUMENTS, { encoder });
    expect(again).toMatchObject({ version: first.version, changed: false, bytesWritten: 0 });
    expect(encoder.encoded).toEqual([]);
  });

  it("keeps what was put when the source goes on without it, also when everything is made anew", async () => {
    const { store } = await buildTiny();
    await put(store, 1, "edge-1", { text: "A river." });
    await put(store, 2, "repeated", { text: "No song." });
    await run(store);
    await store.delete(inboxKey(TINY, writeId(1)));
    await store.delete(inboxKey(TINY, writeId(2)));
    for (const rebuild of [undefined, "documents", "all"] as const) {
      const documents = [...DOCUMENTS, documentOf("more", { text: `More, ${rebuild}.` })];
      await run(store, documents, { rebuild });
      expect(await contentsOf(store, ["edge-1", "repeated"])).toEqual({
        "edge-1": { text: "A river." },
        repeated: { text: "No song." },
      });
      expect((await checkIndex(store, TINY)).problems).toEqual([]);
    }
  });

  it("gives a document back to the source once the source changes it", async () => {
    const { store } = await buildTiny();
    await put(store, 1, "one-word", { text: "Put." });
    await run(store);
    const edited = DOCUMENTS.map((document) =>
      document.id === "one-word" ? documentOf("one-word", { text: "Edited." }) : document,
    );
    const { manifest } = await run(store, edited);
    expect(await contentsOf(store, ["one-word"])).toEqual({ "one-word": { text: "Edited." } });
    expect((await overlayOf(store, manifest)).entries).toMatchObject([{ id: "one-word", stands: "source" }]);
  });

  it("leaves a damaged entry where it is and says so", async () => {
    const { store } = await buildTiny();
    const write = await put(store, 1, "edge-1", { text: "A river." });
    const { body } = (await store.get(inboxKey(TINY, write)))!;
    body[body.length >> 1]! ^= 1;
    await store.put(inboxKey(TINY, write), body);
    const { changed } = await run(store);
    expect(changed).toBe(false);
    expect(await store.head(inboxKey(TINY, write))).not.toBeNull();
  });

  it("has, after any mixture of writes, source changes and runs, what the newest word on each document was", async () => {
    const ids = ["repeated", "one-word", "p", "q"];
    const step = fc.oneof(
      fc.record({ kind: fc.constant("put" as const), id: fc.constantFrom(...ids) }),
      fc.record({ kind: fc.constant("delete" as const), id: fc.constantFrom(...ids) }),
      fc.record({ kind: fc.constant("source" as const), id: fc.constantFrom(...ids) }),
      fc.record({ kind: fc.constant("run" as const), id: fc.constant("") }),
      fc.record({ kind: fc.constant("forget" as const), id: fc.constant("") }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        const { store } = await buildTiny();
        const source = new Map(DOCUMENTS.map((document) => [document.id, document]));
        // The model: what stands for each id, and writes and source changes since the last run.
        const stands = new Map<string, Fields | null>(ids.map((id) => [id, source.get(id)?.fields ?? null]));
        let sourceChanged = new Set<string>();
        let written = new Map<string, Fields | null>();
        const runNow = async () => {
          for (const id of sourceChanged) stands.set(id, source.get(id)?.fields ?? null);
          for (const [id, fields] of written) stands.set(id, fields);
          sourceChanged = new Set();
          written = new Map();
          await run(store, [...source.values()]);
          expect(await contentsOf(store, ids)).toEqual(Object.fromEntries(stands));
        };
        for (const [n, { kind, id }] of steps.entries()) {
          const fields = { text: `Version ${n} of ${id}.` };
          if (kind === "source") {
            source.set(id, documentOf(id, fields));
            sourceChanged.add(id);
          } else if (kind === "run") await runNow();
          else if (kind === "forget") {
            // What was folded may be collected.
            if (written.size === 0)
              for await (const { key } of store.list(`indexes/${TINY}/inbox/`)) await store.delete(key);
          } else {
            await put(store, n, id, kind === "put" ? fields : null);
            written.set(id, kind === "put" ? fields : null);
          }
        }
        await runNow();
        expect((await checkIndex(store, TINY)).problems).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });
});
