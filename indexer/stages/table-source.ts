/** Where the query tables of an index come from: `fit-tables.ts` or `cached-tables.ts`, as the model says. */
import type { TableMeta } from "../../shared/format/table.ts";
import type { RowBits } from "../../shared/kernels/kernels.ts";
import type { CompressedTable, TableFacts } from "../compress/compress-table.ts";
import type { Corpus } from "./encode-corpus.ts";
import type { Tools } from "./tools.ts";

/** A source of tables: each is made when its task is asked for. */
export interface TableSource {
  /** Throws what making the table's rows does; nothing has been published then. */
  table(task: string): Promise<BuiltTable>;
}

/** A compressed table with the figures of how it was made. */
export interface BuiltTable extends CompressedTable {
  readonly figures: Readonly<Record<string, number>>;
}

/** What every table of an index needs. */
export interface TableSettings extends Pick<Tools, "encoder" | "tokenizer" | "tokenizerFile" | "rotation"> {
  readonly bits: RowBits;
  /** Bytes of a table at most: as for `compressTable`. */
  readonly tableBytes?: number | undefined;
  /** Sparse weight of each token id, at least 0. */
  readonly weights: Float64Array;
  /** Uses of each token id: `tokenUses`. */
  readonly uses: Uint32Array;
}

/** What the file of a task's table says beside its rows. */
export function tableFacts(
  { encoder, tokenizerFile, bits, tableBytes, uses, weights }: TableSettings,
  task: string,
  source: TableMeta["source"],
): TableFacts {
  const { encoderHash, description } = encoder.model;
  return {
    ...{
      encoder: encoderHash,
      tokenizer: tokenizerFile.sha256,
      task,
      source,
      bits,
      tableBytes,
      uses,
      weights,
    },
    queryPrompt: description.tasks[task]!.query_prompt,
  };
}

/** How often each token occurs in the chunks: the order of rows, so that the head of the file is what queries need. */
export function tokenUses(corpus: Pick<Corpus, "chunks" | "tokens">, vocabulary: number): Uint32Array {
  const counts = new Uint32Array(vocabulary);
  for (let chunk = 0; chunk < corpus.chunks; chunk++) for (const id of corpus.tokens(chunk)) counts[id]!++;
  return counts;
}
