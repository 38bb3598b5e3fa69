/** Q6: with and without a "not". */
import { ENTITIES, type EntityKind, fill } from "./entities.ts";
import { type Pair, pairRows } from "./pairs.ts";
import type { Suite } from "./suite.ts";

/** Two documents that differ by a negation, and the question that each one answers. */
interface NegationTemplate {
  readonly a: EntityKind;
  readonly b: EntityKind;
  readonly documents: readonly [string, string];
  readonly queries: readonly [string, string];
}

const TEMPLATES: readonly NegationTemplate[] = [
  {
    a: "food",
    b: "animal",
    documents: ["{a} is safe for {b} to eat", "{a} is not safe for {b} to eat"],
    queries: ["food that is safe for {b}", "food that is not safe for {b}"],
  },
  {
    a: "country",
    b: "country",
    documents: ["{a} has a border with {b}", "{a} has no border with {b}"],
    queries: ["countries that share a border with {b}", "countries that do not share a border with {b}"],
  },
  {
    a: "city",
    b: "city",
    documents: ["there are direct flights from {a} to {b}", "there are no direct flights from {a} to {b}"],
    queries: ["cities with a direct flight to {b}", "cities without a direct flight to {b}"],
  },
  {
    a: "company",
    b: "country",
    documents: ["{a} sells its products in {b}", "{a} does not sell its products in {b}"],
    queries: ["companies that sell in {b}", "companies that do not sell in {b}"],
  },
  {
    a: "person",
    b: "language",
    documents: ["{a} can read {b} fluently", "{a} cannot read {b}"],
    queries: ["somebody who can read {b}", "somebody who cannot read {b}"],
  },
  {
    a: "person",
    b: "city",
    documents: ["{a} has visited {b} before", "{a} has never visited {b} before"],
    queries: ["people who have been to {b}", "people who have never been to {b}"],
  },
  {
    a: "food",
    b: "food",
    documents: ["a recipe for {a} that contains {b}", "a recipe for {a} that does not contain {b}"],
    queries: ["recipes with {b}", "recipes without {b}"],
  },
];

/** All pairs: each first entity with the one of another kind at its place, and with the next two. */
export function negationPairs(): readonly Pair[] {
  return TEMPLATES.flatMap((template) => {
    const [first, second] = [ENTITIES[template.a], ENTITIES[template.b]];
    return first.flatMap((a, at) =>
      [1, 2, 3].map((step): Pair => {
        const b = second[(at + step) % second.length]!;
        const both = ([yes, no]: readonly [string, string]): [string, string] => [
          fill(yes, a, b),
          fill(no, a, b),
        ];
        return { documents: both(template.documents), queries: both(template.queries) };
      }),
    );
  });
}

export const negation: Suite = {
  name: "negation",
  async run(subject) {
    return {
      suite: "negation",
      measure: "Share of pairs that differ by a negation told apart (chance 0.25) and of their queries (0.5)",
      unit: "pairs",
      rows: await pairRows(subject, "negated", negationPairs()),
    };
  },
};
