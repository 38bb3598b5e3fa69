import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { BUILD_DEFAULTS, type BuildOptions, buildIndex } from "../../indexer/build.ts";
import { cachedEncoder } from "../../indexer/encode/cache.ts";
import { type Part, partEncoder } from "../../indexer/encode/part.ts";
import { fetchFrom } from "../../indexer/encode/shared-cache.ts";
import { encodePart } from "../../indexer/encode-part.ts";
import { SILENT } from "../../indexer/progress.ts";
import { pointerKey, REGISTRY_KEY } from "../../shared/format/names.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { copyOf, TINY } from "../helpers/tiny-build.ts";
import { documentOf, sourceOf, tinyDocuments } from "../helpers/tiny-corpus.ts";
import { tinyEncoder } from "../helpers/tiny-encoder.ts";

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  made.push(mkdtempSync(join(tmpdir(), "lightedge-encode-part-")));
  return made.at(-1)!;
}

const TASKS = {
  search: { query_prompt: "find: ", document_prompt: "" },
  same: { query_prompt: "same: ", document_prompt: "" },
};
/** Two tasks, and a weight to be chosen: every kind of text that a run encodes. */
const OPTIONS = {
  index: TINY,
  tasks: ["search", "same"],
  ...BUILD_DEFAULTS,
  spans: { short: 200, shortPerSentence: 1, long: 50, longPerDocument: 1 },
  now: () => new Date(0),
};
/** Enough documents for questions to be cut from. */
const DOCUMENTS = tinyDocuments(150);

type Given = Pick<BuildOptions, "source" | "store"> & Partial<BuildOptions>;

/** A run that publishes on a machine of its own, and the texts that it encoded itself. */
async function publish(given: Given) {
  const inner = tinyEncoder({ tasks: TASKS });
  const encoder = cachedEncoder(
    inner,
    newFolder(),
    fetchFrom(given.store, inner.model.encoderHash, () => {}),
  );
  try {
    const report = await buildIndex({ ...OPTIONS, ...given, encoder }, SILENT);
    return { report, encoded: [...inner.encoded] };
  } finally {
    await encoder.close();
  }
}

/** A part on a machine of its own. */
async function runPart(part: Part, given: Given) {
  const inner = tinyEncoder({ tasks: TASKS });
  const encoder = await partEncoder(inner, part, { store: given.store, folder: newFolder(), warn: () => {} });
  try {
    return await encodePart({ ...OPTIONS, ...given, encoder }, SILENT);
  } finally {
    await encoder.close();
  }
}

/** All that an index is: every object but the encodings. The commit's id is random, so the pointer stands for its manifest. */
async function indexIn(store: WriteStore): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const { key, etag } of store.list("")) {
    // Packs are not the index, and the registry has random bits.
    if (key.startsWith("encodings/") || key === REGISTRY_KEY) continue;
    const body = key === pointerKey(TINY) ? (await store.get(key))!.body : null;
    found.set(key, body === null ? etag : JSON.parse(new TextDecoder().decode(body)).manifest.sha256);
  }
  return found;
}

const source = () => sourceOf(DOCUMENTS);

/** One run that does everything itself. */
const ALONE = (async () => {
  const store = new MemoryStore();
  const { encoded } = await publish({ source: source(), store });
  return { encoded, index: await indexIn(store), store };
})();

describe("an index whose encoding was done in parts", () => {
  it.each([
    ["in order", [1, 2, 3]],
    ["in reverse", [3, 2, 1]],
    ["one of them twice", [2, 1, 2, 3]],
  ])("%s is to the byte what one run makes, which calls its encoder for nothing", async (_, order) => {
    const alone = await ALONE;
    expect(alone.encoded.length).toBeGreaterThan(0);
    const store = new MemoryStore();
    let encodedByParts = 0;
    for (const number of order) {
      const { encoded, plan } = await runPart({ number, of: 3 }, { source: source(), store });
      expect(plan.kind).toBe("all");
      expect(await store.head(pointerKey(TINY))).toBeNull();
      encodedByParts += encoded;
    }
    expect(encodedByParts).toBe(alone.encoded.length);

    const { encoded, report } = await publish({ source: source(), store });
    expect(encoded).toEqual([]);
    expect(report.changed).toBe(true);
    expect(await indexIn(store)).toEqual(alone.index);
  });

  it("needs the missing part's texts encoded, and no others, where a part never ran", async () => {
    const [store, other] = [new MemoryStore(), new MemoryStore()];
    for (const number of [1, 3]) await runPart({ number, of: 3 }, { source: source(), store });
    const missing = await runPart({ number: 2, of: 3 }, { source: source(), store: other });
    const { encoded } = await publish({ source: source(), store });
    expect(encoded.length).toBe(missing.encoded);
  });

  it("needs no held-out texts where the weight is given", async () => {
    const store = new MemoryStore();
    const part = { number: 1, of: 1 };
    const fixed = await runPart(part, { source: source(), store, weight: 0.5 });
    expect((await publish({ source: source(), store, weight: 0.5 })).encoded).toEqual([]);
    const chosen = await runPart(part, { source: source(), store: new MemoryStore() });
    expect(chosen.encoded).toBeGreaterThan(fixed.encoded);
  });
});

describe("parts of a run upon an index that is there", () => {
  const changed = [
    ...DOCUMENTS.filter(({ id }) => id !== "d3"),
    documentOf("new", {
      title: "A new sailor",
      text: "The sailor left the harbour. A storm broke the anchor.",
    }),
  ];

  it("encode what changed, and the run that publishes nothing", async () => {
    const store = await copyOf((await ALONE).store);
    const given = { source: sourceOf(changed), store };
    let encoded = 0;
    for (const number of [1, 2]) {
      const report = await runPart({ number, of: 2 }, given);
      expect(report.plan).toMatchObject({ kind: "some", added: 1, removed: 1 });
      encoded += report.encoded;
    }
    expect(encoded).toBeGreaterThan(0);
    expect(encoded).toBeLessThan(10);
    const published = await publish(given);
    expect(published.encoded).toEqual([]);
    expect(published.report.plan).toMatchObject({ kind: "some", added: 1, removed: 1 });
  });

  it("encode and write nothing where nothing changed", async () => {
    const store = await copyOf((await ALONE).store);
    const before = await indexIn(store);
    const report = await runPart({ number: 1, of: 1 }, { source: source(), store });
    expect(report).toMatchObject({ plan: { kind: "none" }, own: 0, encoded: 0, packs: 0, bytes: 0 });
    expect(await indexIn(store)).toEqual(before);
  });

  it("are refused, as the run would be, where the source lost its documents", async () => {
    const store = await copyOf((await ALONE).store);
    const given = { source: sourceOf(DOCUMENTS.slice(0, 20)), store };
    await expect(runPart({ number: 1, of: 2 }, given)).rejects.toMatchObject({ code: "source/shrank" });
    const { plan } = await runPart({ number: 1, of: 1 }, { ...given, allowShrink: true });
    expect(plan).toMatchObject({ removed: DOCUMENTS.length - 20 });
  });
});
