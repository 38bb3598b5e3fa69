/** Q5: who did it to whom. A sum of rows has no word order, and this says what that costs. */
import { ENTITIES, type EntityKind, fill } from "./entities.ts";
import { type Pair, pairRows } from "./pairs.ts";
import type { Suite } from "./suite.ts";

/** A sentence with two roles, and the same said in another way. */
interface RoleTemplate {
  readonly kind: EntityKind;
  readonly sentence: string;
  readonly other: string;
}

const TEMPLATES: readonly RoleTemplate[] = [
  { kind: "event", sentence: "{a} caused {b}", other: "{b} was caused by {a}" },
  { kind: "event", sentence: "{a} came before {b}", other: "{b} came after {a}" },
  { kind: "country", sentence: "{a} defeated {b} in the final", other: "{b} lost the final to {a}" },
  { kind: "country", sentence: "exports of {a} to {b}", other: "imports of {b} from {a}" },
  { kind: "city", sentence: "a train from {a} to {b}", other: "a train to {b} from {a}" },
  { kind: "person", sentence: "{a} taught {b}", other: "{b} was a student of {a}" },
  { kind: "person", sentence: "{a} is taller than {b}", other: "{b} is shorter than {a}" },
  { kind: "company", sentence: "{a} acquired {b}", other: "{b} was bought by {a}" },
  { kind: "company", sentence: "{a} sued {b}", other: "{b} was taken to court by {a}" },
  { kind: "language", sentence: "a translation from {a} into {b}", other: "a {b} version of a text in {a}" },
  { kind: "animal", sentence: "{a} ate {b}", other: "{b} was eaten by {a}" },
];

/** All pairs: the queries are the two sentences themselves, or both said in another way. */
export function rolePairs(queries: "sentence" | "other"): readonly Pair[] {
  return TEMPLATES.flatMap((template) => {
    const names = ENTITIES[template.kind];
    return names.flatMap((a, at) =>
      names.slice(at + 1).map((b): Pair => {
        const both = (text: string): [string, string] => [fill(text, a, b), fill(text, b, a)];
        return { documents: both(template.sentence), queries: both(template[queries]) };
      }),
    );
  });
}

export const wordOrder: Suite = {
  name: "word-order",
  async run(subject) {
    return {
      suite: "word-order",
      measure: "Share of role-swapped sentence pairs told apart (chance 0.25) and of their queries (0.5)",
      unit: "pairs",
      rows: [
        ...(await pairRows(subject, "the sentence", rolePairs("sentence"))),
        ...(await pairRows(subject, "said otherwise", rolePairs("other"))),
      ],
    };
  },
};
