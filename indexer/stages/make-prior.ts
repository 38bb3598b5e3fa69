/** General queries to the generic prior that a model ships: see `indexer/fit/prior.ts`. */
import { writeTokenizerFile } from "../../shared/format/tokenizer-file.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import { type CompressedTable, compressTable, inMemory } from "../compress/compress-table.ts";
import { createRotation, ROTATION } from "../compress/rotate.ts";
import type { Encoder } from "../encode/encoder.ts";
import { fitTable } from "../fit/fit-table.ts";
import type { Progress } from "../progress.ts";
import { encodeTexts } from "./fit-tables.ts";

/** Pull towards zero, where the prior itself starts; and steps of conjugate gradient. */
const PRIOR_FIT = { lambda: 1, phraseLambda: 1, iterations: 30 } as const;
/** A prior is compressed twice, so the first time loses nothing: 8 bits. */
const PRIOR_BITS = 8;

/** Fits a prior to these queries and to every whole word of the vocabulary, for a task. */
export async function makePrior(
  queries: readonly string[],
  encoder: Encoder,
  task: string,
  progress: Progress,
): Promise<CompressedTable> {
  const { model } = encoder;
  const { dimension } = model;
  const { vocabulary, tasks, tokenizer: rules } = model.description;
  const tokenizer = loadTokenizer(model.tokenizer);
  const tokenizerFile = await writeTokenizerFile(
    { encoder: model.encoderHash, lowercase: rules.lowercase },
    model.tokenizer,
  );
  const rotation = createRotation(ROTATION, dimension);
  const texts = [...queries, ...wholeWords(tokenizer, model.tokenizer)];
  const encoded = await encodeTexts(texts, { encoder, rotation, tokenizer, task }, progress);
  const fitTexts = { ...encoded, phrases: new Uint32Array(0) };
  const stage = progress.stage("fit prior", 1);
  const table = await fitTable(fitTexts, new Float32Array(vocabulary * dimension), dimension, PRIOR_FIT);
  stage.done(`residual ${table.figures.residual?.toFixed(3)}`);
  const uses = new Uint32Array(vocabulary);
  for (const ids of fitTexts.tokens) for (const id of ids) uses[id]!++;
  return compressTable(inMemory(table), {
    encoder: model.encoderHash,
    tokenizer: tokenizerFile.sha256,
    task,
    queryPrompt: tasks[task]!.query_prompt,
    bits: PRIOR_BITS,
    tableBytes: Number.POSITIVE_INFINITY,
    uses,
    weights: new Float64Array(vocabulary),
  });
}

/**
 * Tokens that are words by themselves, as texts: they give a row to words that no query
 * in the list has. Only for WordPiece, whose spellings are plain text.
 */
function wholeWords(tokenizer: Tokenizer, file: Encoder["model"]["tokenizer"]): readonly string[] {
  if (file.kind !== "wordpiece") return [];
  return file.vocabulary
    .split("\n")
    .filter(
      (token) =>
        !token.startsWith(file.prefix) && !file.added.includes(token) && tokenizer.ids(token).length === 1,
    );
}
