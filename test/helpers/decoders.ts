/**
 * Small random decoders exported by `indexer/export`, with what plain PyTorch says of some texts:
 * `test/fixtures/decoders/make.py` makes both.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The families there is a decoder of: Llama with a tied head, Qwen2 with one of its own. */
export const DECODERS = ["llama", "qwen2"] as const;
export type DecoderName = (typeof DECODERS)[number];

/** What PyTorch says, in float32, by the rules of LightRetriever's code. */
export interface DecoderValues {
  /** Factor of impacts in 8 bits. */
  readonly scale: number;
  readonly special: readonly number[];
  readonly documents: readonly {
    readonly text: string;
    /** Begin and end token included. */
    readonly ids: readonly number[];
    /** Of length 1. */
    readonly vector: readonly number[];
    /** The greatest, without special tokens, ids ascending. */
    readonly impacts: readonly (readonly [id: number, value: number])[];
    /** The same times `scale`, rounded into 1 to 255. */
    readonly codes: readonly number[];
  }[];
  /** By task: hidden state at the end of `[begin] prompt token [end]`. */
  readonly rows: Readonly<Record<string, readonly (readonly [id: number, row: readonly number[]])[]>>;
  readonly prompts: Readonly<Record<string, readonly number[]>>;
  readonly queries: readonly {
    readonly task: string;
    readonly text: string;
    readonly ids: readonly number[];
    /** Sum of the rows, brought to length 1; zeros for no tokens. */
    readonly vector: readonly number[];
  }[];
  /** Scores of the first query with every document, and both fusions of them. */
  readonly fused: {
    readonly query: string;
    readonly dense: readonly number[];
    readonly sparse: readonly number[];
    readonly minmax: readonly number[];
    readonly rrf: readonly number[];
  };
}

/** The model folder of a decoder. */
export function decoderFolder(name: DecoderName): string {
  return fileURLToPath(new URL(`../fixtures/decoders/${name}`, import.meta.url));
}

/** What PyTorch says of it. */
export function decoderValues(name: DecoderName): DecoderValues {
  return JSON.parse(readFileSync(`${decoderFolder(name)}/values.json`, "utf8")) as DecoderValues;
}
