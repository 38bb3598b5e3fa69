/** Q5 again, on the judged queries: their words in any order. All the same means a bag of words. */
import type { Random } from "../../random.ts";
import type { Suite } from "./suite.ts";
import { identicalRow, variantsOf } from "./variants.ts";
import { wordsOf } from "./wording.ts";

export const shuffle: Suite = {
  name: "shuffle",
  async run(subject) {
    return {
      suite: "shuffle",
      measure: "Share of queries whose first ten documents stay the same, in the same order",
      unit: "queries",
      rows: [await identicalRow(subject, "words shuffled", variantsOf(subject, shuffled))],
    };
  },
};

/** The words of a text in another order; null where there is none, or none was drawn. */
export function shuffled(text: string, random: Random): string | null {
  const words = wordsOf(text);
  const changed = Array.from(random.permutation(words.length), (at) => words[at]).join(" ");
  return changed === words.join(" ") ? null : changed;
}
