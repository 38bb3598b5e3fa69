/** Texts to encodings by the full model: the only place where a neural network runs. */
import type { SparseVector } from "../../shared/segment/impacts.ts";
import type { RowGraph } from "../cached/row-graph.ts";
import type { RowPlan } from "../cached/row-plan.ts";
import type { Model, Role } from "../model/model.ts";

export type { SparseVector } from "../../shared/segment/impacts.ts";

/** What a model says of a text. All numbers are exact halves (float16), so that cached and fresh encodings are equal. */
export interface Encoding {
  /** `dimension` values of length 1 where the model makes unit vectors; null where not asked for. */
  readonly dense: Float32Array<ArrayBuffer> | null;
  readonly sparse: SparseVector | null;
}

/** What is wanted of texts. */
export interface Wanted {
  readonly role: Role;
  readonly task: string;
  readonly dense: boolean;
  /** Only for models with a sparse output. */
  readonly sparse: boolean;
}

/** An encoder at work. */
export interface Encoder {
  readonly model: Model;
  /** The execution provider that runs the model, as onnxruntime calls it. */
  readonly provider: string;
  /**
   * Encodings in the order of the texts. A text's encoding does not depend on the others, and its
   * arrays are the caller's to change, also where a text occurs twice.
   * Throws `model/invalid` for an output that is not finite. `onProgress` gets numbers of texts done.
   */
  encode(
    texts: readonly string[],
    wanted: Wanted,
    onProgress?: (texts: number) => void,
  ): Promise<readonly Encoding[]>;
  /** The part of the model that gives the rows of its own query table, opened beside it. The caller closes it. */
  openRows(plan: RowPlan): Promise<RowGraph>;
  close(): Promise<void>;
}
