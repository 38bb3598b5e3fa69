/** What a planted bug is. */

import type { Scene } from "../scenes.ts";

/** A bug and how soon it must be noticed. */
export interface Planted {
  readonly name: string;
  /** The file to change, from the root. */
  readonly file: string;
  /** Texts, each of which is in the file once, with what is put in their place. */
  readonly changes: readonly (readonly [from: string, to: string])[];
  /** The kind of schedule that it shows in, `builds` for those over real indexes; any of the others when absent. */
  readonly scene?: Scene | "builds";
  /** Schedules, from seed 1 on, within which a promise must be seen broken. */
  readonly within: number;
}
