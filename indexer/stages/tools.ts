/** What every stage needs of the model and the settings, made once. */
import type { WrittenFile } from "../../shared/format/envelope.ts";
import { writeTokenizerFile } from "../../shared/format/tokenizer-file.ts";
import type { SegmentFacts } from "../../shared/segment/segment.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import { createRotation, ROTATION, type Rotation } from "../compress/rotate.ts";
import type { Encoder } from "../encode/encoder.ts";

/** The model at hand. */
export interface Tools {
  readonly encoder: Encoder;
  readonly tokenizer: Tokenizer;
  readonly tokenizerFile: WrittenFile;
  readonly rotation: Rotation;
  /** The task that documents are encoded for: the default one. */
  readonly task: string;
  /** Tokens of a chunk, what the encoder adds left out. */
  readonly maxTokens: number;
}

/** Gets the tools ready for a default task. */
export async function prepareTools(encoder: Encoder, task: string): Promise<Tools> {
  const { description, dimension, encoderHash, tokenizer } = encoder.model;
  return {
    encoder,
    tokenizer: loadTokenizer(tokenizer),
    tokenizerFile: await writeTokenizerFile(
      { encoder: encoderHash, lowercase: description.tokenizer.lowercase },
      tokenizer,
    ),
    rotation: createRotation(ROTATION, dimension),
    task,
    maxTokens: encoder.model.maxTextTokens(task, "document"),
  };
}

/** What the shards of a version share, given the first table's digest. */
export function segmentFacts(
  { encoder, tokenizerFile }: Tools,
  table: SegmentFacts["table"],
  { impact_scale, mix }: Pick<SegmentFacts, "impact_scale" | "mix">,
): SegmentFacts {
  const { dimension, encoderHash, description } = encoder.model;
  return {
    encoder: encoderHash,
    tokenizer: tokenizerFile.sha256,
    table,
    dimension,
    vocabulary: description.vocabulary,
    impact_scale,
    mix,
  };
}
