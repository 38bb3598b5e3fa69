/** The model's own query tables: rows made once for every index (`indexer/cached`), then compressed in the order of a corpus. */

import { LightedgeError } from "../../shared/errors.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { cachedRows } from "../cached/cached-rows.ts";
import { makeRows, type RowCounts } from "../cached/make-rows.ts";
import { inputTokens, planRows, type RowPlan } from "../cached/row-plan.ts";
import { compressTable } from "../compress/compress-table.ts";
import type { Part } from "../encode/part.ts";
import type { Progress } from "../progress.ts";
import { type TableSettings, type TableSource, tableFacts } from "./table-source.ts";
import type { Tools } from "./tools.ts";

/** Where rows are kept. */
export interface RowPlaces {
  /** Folder of caches. */
  readonly cache?: string | undefined;
  /** A store that may have rows. */
  readonly store?: WriteStore | undefined;
}

/** The tables of a model whose rows are a pass of it for every token. Memory: one block of rows, and the compressed ones. */
export function cachedTables(settings: TableSettings, places: RowPlaces, progress: Progress): TableSource {
  const { rotation } = settings;
  return {
    async table(task) {
      const { plan, cache } = await taskRows(settings, task, null, places, progress);
      const stage = progress.stage("compress query table", 0);
      const figures = { rows: plan.tokens - plan.without.length, input_tokens: inputTokens(plan) };
      const compressed = await compressTable(
        {
          rows: cachedRows(plan, cache, rotation),
          ...{ phrases: new Uint32Array(0), phraseRows: new Float32Array(0), figures },
        },
        tableFacts(settings, task, "cached"),
      );
      stage.done(`${compressed.file.bytes.length} bytes`);
      return { ...compressed, figures };
    },
  };
}

/** Makes the rows of a task, or of a part of its tokens, that are not there yet; a part's go into the store. */
export async function taskRows(
  { encoder, tokenizer }: Pick<Tools, "encoder" | "tokenizer">,
  task: string,
  part: Part | null,
  { cache, store }: RowPlaces,
  progress: Progress,
): Promise<{ readonly plan: RowPlan; readonly cache: string; readonly counts: RowCounts }> {
  if (cache === undefined)
    throw new LightedgeError("internal", "Rows of a model's own table have no folder.");
  const plan = await planRows(encoder.model, tokenizer, task);
  const ports = { cache, store, share: part !== null, open: (wanted: RowPlan) => encoder.openRows(wanted) };
  return { plan, cache, counts: await makeRows(plan, part, ports, progress) };
}
