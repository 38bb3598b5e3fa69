/** An index as large as wanted: a collection several times over, which costs no more encoding than once. */
import { fileURLToPath } from "node:url";
import { BUILD_DEFAULTS, buildIndex } from "../../indexer/build.ts";
import { cachedEncoder } from "../../indexer/encode/cache.ts";
import { createOnnxEncoder } from "../../indexer/encode/onnx.ts";
import { loadModel } from "../../indexer/model/model.ts";
import type { Progress } from "../../indexer/progress.ts";
import { openSource } from "../../indexer/sources/open.ts";
import type { Source, SourceRecord } from "../../indexer/sources/source.ts";
import type { WriteStore } from "../../shared/store/store.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The collection that ships with the project. */
export const COLLECTION = `${ROOT}examples/nq-qed`;

/** Indexes the shipped collection so many times over, under this name. */
export async function buildCopies(
  store: WriteStore,
  index: string,
  copies: number,
  progress: Progress,
): Promise<void> {
  const encoder = cachedEncoder(
    await createOnnxEncoder(await loadModel(`${ROOT}models/minilm-splade`), { device: "cpu" }),
    `${ROOT}.lightedge/cache`,
  );
  try {
    const source = copiesOf(await openSource([COLLECTION], "beir"), copies);
    const now = () => new Date();
    await buildIndex({ index, source, encoder, store, tasks: [], ...BUILD_DEFAULTS, now }, progress);
  } finally {
    await encoder.close();
  }
}

/** Every document under several ids. */
function copiesOf(source: Source, copies: number): Source {
  return {
    ...source,
    async *records(): AsyncGenerator<SourceRecord, void, undefined> {
      for await (const record of source.records()) {
        if (record.kind === "rejected") yield record;
        else {
          for (let copy = 0; copy < copies; copy++) {
            const { document } = record;
            yield { ...record, document: { ...document, id: `${document.id}-${copy}` } };
          }
        }
      }
    },
  };
}
