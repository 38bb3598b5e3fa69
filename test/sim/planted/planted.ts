/** What a planted bug is. */

/** A bug and how soon it must be noticed. */
export interface Planted {
  readonly name: string;
  /** The file to change, from the root. */
  readonly file: string;
  /** Texts, each of which is in the file once, with what is put in their place. */
  readonly changes: readonly (readonly [from: string, to: string])[];
  /** Schedules, from seed 1 on, within which a promise must be seen broken. */
  readonly within: number;
}
