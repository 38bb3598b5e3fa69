/** Q1: one and two slips of the finger in a query. */
import type { Random } from "../../random.ts";
import { TYPO_KINDS, type TypoKind, withTypo } from "../typos.ts";
import type { Suite } from "./suite.ts";
import { keptRow, typedRow, type Variant, variantsOf } from "./variants.ts";

const EDITS = [1, 2] as const;
/** Draws of each kind and number of edits for every query. */
const DRAWS = 2;
/** A second typo may undo the first: then it is drawn again, so often at most. */
const TRIES = 4;

export const typos: Suite = {
  name: "typos",
  async run(subject) {
    const variants = new Map<string, readonly Variant[]>();
    for (const edits of EDITS) {
      for (const kind of TYPO_KINDS) {
        const drawn = Array.from({ length: DRAWS }, (_, draw) =>
          variantsOf(subject, (text, random) => withTypos(text, kind, edits, random), draw),
        );
        variants.set(`${edits} ${kind}`, drawn.flat());
      }
    }
    const rows = [await typedRow(subject, "none (nDCG@10)")];
    for (const edits of EDITS) {
      const own = [...variants].filter(([name]) => name.startsWith(`${edits} `));
      for (const [name, list] of own) rows.push(await keptRow(subject, name, list));
      rows.push(
        await keptRow(
          subject,
          `${edits} of any kind`,
          own.flatMap(([, list]) => list),
        ),
      );
    }
    return {
      suite: "typos",
      measure: "nDCG@10 with so many typos over nDCG@10 without",
      unit: "queries",
      rows,
    };
  },
};

/** A text with so many typos of one kind; null where it cannot have them. */
export function withTypos(text: string, kind: TypoKind, edits: number, random: Random): string | null {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    let changed: string | null = text;
    for (let edit = 0; edit < edits && changed !== null; edit++) changed = withTypo(changed, kind, random);
    if (changed !== text) return changed;
  }
  return null;
}
