/**
 * A small real store with an object of every kind, and how a damaged one must be met: with an error or with what
 * the whole one answers, and never without a check of the store saying that something is wrong.
 */
import { checkStore } from "../../indexer/check-store.ts";
import { asLightedgeError } from "../../shared/errors.ts";
import { serializeInboxEntry } from "../../shared/format/inbox.ts";
import { inboxKey } from "../../shared/format/names.ts";
import { NO_OVERLAY } from "../../shared/format/overlay.ts";
import { readInbox } from "../../shared/inbox/read.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import type { Fields, SearchRequest } from "../../shared/types.ts";
import { collectGarbage } from "../../shared/versions/gc.ts";
import { documentOf, tinyDocuments } from "../helpers/tiny-corpus.ts";
import { entryOf } from "../helpers/writes.ts";
import { type Objects, objectsOf, storeOf } from "./objects.ts";
import { indexTiny, openTiny, TINY } from "./tiny.ts";

const HOUR = 3_600_000;
/** Documents of the first version: enough for several passages, few enough to flip every bit. */
const DOCUMENTS = 6;
const QUERIES = ["wave harbour", "the king and queen signed", "rocket"];
/** What tells the time and nothing else: two bytes that nobody reads. */
const MEANINGLESS = "gc/now.json";
const PORTS = {
  monotonic: () => 0,
  pause: async () => {},
  randomBytes: (length: number) => new Uint8Array(length),
};

/**
 * The objects of a small store: an index with two shards, dead documents, a write taken in and one that
 * waits; its registry, its pointer, and what collections note. `seed` makes other documents.
 */
export async function smallStore(seed = 1): Promise<Objects> {
  let now = Date.UTC(2026, 0, 31);
  const store = new MemoryStore(() => now);
  const write = async (number: number, id: string, fields: Fields): Promise<void> => {
    const entry = entryOf(number, id, fields, TINY);
    await store.put(inboxKey(TINY, entry.write), await serializeInboxEntry(entry));
  };
  const documents = tinyDocuments(DOCUMENTS, seed);
  await indexTiny(store, documents, { bits: 2 });
  await write(1, "written", { text: "A boat at night." });
  const next = [...documents.slice(0, -1), documentOf(`new-${seed}`, { text: "A rocket left." })];
  await indexTiny(store, next, { bits: 2, refitDrift: Number.POSITIVE_INFINITY, allowShrink: true });
  await write(2, "waiting", { text: "A queen waits." });
  now += 3 * HOUR;
  // Versions that are not current are not read by what follows.
  await collectGarbage(store, { graceMs: HOUR, keep: 1 }, PORTS);
  const objects = new Map(await objectsOf(store));
  objects.delete(MEANINGLESS);
  return objects;
}

/** Lengths to which cutting this object takes something from it: all below its own, but a pointer's line end says nothing. */
export function lengthsOf(key: string, body: Uint8Array): number {
  return key.endsWith("/current.json") ? body.length - 1 : body.length;
}

/** What the whole store answers. */
export type Answers = readonly string[];

/** What a store answers to everything that is asked here. Throws what the engine throws. */
export async function ask(objects: Objects): Promise<Answers> {
  return answersOf(storeOf(objects));
}

/** What is wrong with how a damaged store is met; empty where it is met as it must be. */
export async function judge(damaged: Objects, right: Answers): Promise<readonly string[]> {
  const store = storeOf(damaged);
  const wrong: string[] = [];
  try {
    const found = await answersOf(store);
    if (found.some((answer, at) => answer !== right[at]))
      wrong.push("answers otherwise than the whole store");
  } catch (error) {
    if (asLightedgeError(error).code === "internal") wrong.push(`breaks instead of refusing: ${error}`);
  }
  try {
    if (!(await isReported(store))) wrong.push("is sound by the check");
  } catch (error) {
    wrong.push(`breaks the check: ${error}`);
  }
  return wrong;
}

/** What a collection over a damaged store takes that the whole one needs: nothing, however old all is. */
export async function takenFrom(damaged: Objects, whole: Objects): Promise<readonly string[]> {
  let now = Date.UTC(2026, 0, 31);
  const store = new MemoryStore(() => now);
  for (const [key, body] of damaged) await store.put(key, body);
  now += 240 * HOUR;
  await collectGarbage(store, { graceMs: HOUR, keep: 1 }, PORTS).catch((error: unknown) => {
    if (asLightedgeError(error).code === "internal") throw error;
  });
  const left = new Set((await objectsOf(store)).keys());
  return [...whole.keys()].filter((key) => damaged.has(key) && !left.has(key));
}

async function isReported(store: WriteStore): Promise<boolean> {
  const { problems, indexes } = await checkStore(store);
  const inbox = await readInbox(store, TINY, NO_OVERLAY);
  return problems.length > 0 || indexes.length === 0 || inbox.damaged.length > 0;
}

async function answersOf(store: WriteStore): Promise<Answers> {
  const index = await openTiny(store);
  const found: string[] = [];
  for (const q of QUERIES) {
    for (const mode of ["hybrid", "dense", "sparse"] as const) {
      const request: SearchRequest = { q, mode, limit: 10, offset: 0, explain: true };
      found.push(JSON.stringify({ ...(await index.search(request)), took_ms: 0 }));
    }
  }
  const { entries, damaged } = await readInbox(store, TINY, NO_OVERLAY);
  for (const { reason } of damaged) throw reason;
  return [...found, JSON.stringify(entries)];
}
