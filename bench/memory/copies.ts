/** Indexes as large as wanted: a collection several times over, which costs no more encoding than once. */
import { fileURLToPath } from "node:url";
import { BUILD_DEFAULTS, buildIndex } from "../../indexer/build.ts";
import { type CachedEncoder, cachedEncoder } from "../../indexer/encode/cache.ts";
import { createOnnxEncoder } from "../../indexer/encode/onnx.ts";
import { loadModel } from "../../indexer/model/model.ts";
import { type Progress, SILENT } from "../../indexer/progress.ts";
import { openSource } from "../../indexer/sources/open.ts";
import type { Source, SourceRecord } from "../../indexer/sources/source.ts";
import type { WriteStore } from "../../shared/store/store.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The collection that ships with the project. */
export const COLLECTION = `${ROOT}examples/nq-qed`;

/** Of so many documents one is left out in each state but the first. */
const LEFT_OUT = 50;

/** An index of copies. */
export interface CopiesOptions {
  readonly index: string;
  readonly copies: number;
  /** Chunks of a shard at most; what the format allows when absent. */
  readonly shardChunks?: number;
  /** 0 has every document; each other state leaves out some of its own, so that the next version differs. */
  readonly state?: number;
}

/** Makes indexes of copies in one store, with one encoder for all of them. */
export class Copies {
  readonly #store: WriteStore;
  #encoder: CachedEncoder | undefined;

  constructor(store: WriteStore) {
    this.#store = store;
  }

  /** Brings an index to this state. Cost: what a run costs; encoding the first time alone. */
  async build({ index, copies, shardChunks, state = 0 }: CopiesOptions, progress: Progress): Promise<void> {
    this.#encoder ??= cachedEncoder(
      await createOnnxEncoder(await loadModel(`${ROOT}models/minilm-splade`), { device: "cpu" }),
      `${ROOT}.lightedge/cache`,
    );
    const options = {
      ...{ index, encoder: this.#encoder, store: this.#store, tasks: [], ...BUILD_DEFAULTS },
      ...(shardChunks === undefined ? {} : { shardChunks }),
      source: copiesOf(await openSource([COLLECTION], "beir"), copies, state),
      // The share is another measurement's, and choosing it costs most of a run of this size.
      weight: 0.5,
      now: () => new Date(),
    };
    await buildIndex(options, progress);
  }

  /** Lets go of the encoder. */
  async close(): Promise<void> {
    await this.#encoder?.close();
  }
}

/** Indexes the shipped collection so many times over, under this name. */
export async function buildCopies(
  store: WriteStore,
  index: string,
  copies: number,
  progress: Progress,
): Promise<void> {
  const made = new Copies(store);
  try {
    await made.build({ index, copies }, progress);
  } finally {
    await made.close();
  }
}

/** Publishes one of these indexes in its next state, over and over, until the signal. Cost: one run at a time. */
export async function republish(
  copies: Copies,
  indexes: readonly CopiesOptions[],
  everyMs: number,
  until: AbortSignal,
): Promise<number> {
  let published = 0;
  while (!until.aborted) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, everyMs);
      until.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
    if (until.aborted) break;
    const next = indexes[published % indexes.length]!;
    const state = 1 + Math.floor(published / indexes.length);
    await copies.build({ ...next, state }, SILENT);
    published++;
  }
  return published;
}

/** Every document under several ids, but for those that this state leaves out. */
function copiesOf(source: Source, copies: number, state: number): Source {
  return {
    ...source,
    async *records(): AsyncGenerator<SourceRecord, void, undefined> {
      let number = 0;
      for await (const record of source.records()) {
        if (record.kind === "rejected") yield record;
        else {
          for (let copy = 0; copy < copies; copy++, number++) {
            if (state > 0 && number % LEFT_OUT === state % LEFT_OUT) continue;
            const { document } = record;
            yield { ...record, document: { ...document, id: `${document.id}-${copy}` } };
          }
        }
      }
    },
  };
}
