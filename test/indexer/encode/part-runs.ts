/** Runs that encode a part of a corpus, and runs that publish after them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { cachedEncoder } from "../../../indexer/encode/cache.ts";
import { type Part, partEncoder } from "../../../indexer/encode/part.ts";
import { fetchFrom } from "../../../indexer/encode/shared-cache.ts";
import type { WriteStore } from "../../../shared/store/store.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";
import { numberedTexts, WANTED } from "./texts.ts";

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true });
});

/** An empty folder, which is gone after the tests. */
export function newFolder(): string {
  made.push(mkdtempSync(join(tmpdir(), "lightedge-part-")));
  return made.at(-1)!;
}

/** The texts of a run that is told no others. */
export const TEXTS = numberedTexts(0, 300);
/** The hash of the encoder of all runs. */
export const HASH = tinyEncoder().model.encoderHash;

/** One run of a part on a machine with this folder, and what it did. */
export async function runPart(
  store: WriteStore,
  part: Part,
  {
    folder = newFolder(),
    texts = TEXTS,
    inner = tinyEncoder(),
    ...more
  }: {
    folder?: string;
    texts?: readonly string[];
    inner?: ReturnType<typeof tinyEncoder>;
    now?: () => number;
    packBytes?: number;
  } = {},
) {
  const warnings: string[] = [];
  const encoder = await partEncoder(inner, part, {
    store,
    folder,
    warn: (text) => warnings.push(text),
    ...more,
  });
  try {
    const encodings = await encoder.encode(texts, WANTED);
    await encoder.finish();
    return { encodings, counts: { ...encoder.counts }, encoded: [...inner.encoded], warnings };
  } finally {
    await encoder.close();
  }
}

/** What a run that publishes would get for these texts, on a machine of its own. */
export async function runWhole(store: WriteStore, folder = newFolder(), texts = TEXTS) {
  const inner = tinyEncoder();
  const warnings: string[] = [];
  const encoder = cachedEncoder(
    inner,
    folder,
    fetchFrom(store, HASH, (text) => warnings.push(text)),
  );
  try {
    const encodings = await encoder.encode(texts, WANTED);
    return { encodings, encoded: [...inner.encoded], counts: { ...encoder.counts }, warnings };
  } finally {
    await encoder.close();
  }
}

/** What is in a store, packs alone where nothing else was put there. */
export async function packsIn(store: WriteStore): Promise<{ key: string; bytes: number }[]> {
  const found: { key: string; bytes: number }[] = [];
  for await (const { key, bytes } of store.list("")) found.push({ key, bytes });
  return found;
}

/** All parts of so many. */
export const partsOf = (of: number): Part[] =>
  Array.from({ length: of }, (_, at) => ({ number: at + 1, of }));
