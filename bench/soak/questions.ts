/** What the load asks: searches of all kinds, batches of them, and documents. */
import type { Random } from "../../indexer/random.ts";
import { FUSION_RULES, type FusionRule, MODES, type Mode } from "../../shared/types.ts";
import { drawQuery } from "./source.ts";

/** A search, as a client asks it. */
export interface SearchQuestion {
  readonly kind: "search";
  readonly q: string;
  readonly mode: Mode;
  readonly offset: number;
  readonly limit: number;
  readonly fusion?: FusionRule;
  readonly weight?: number;
}

/** A question with the request that asks it. */
export type Question =
  | SearchQuestion
  | { readonly kind: "batch"; readonly searches: readonly SearchQuestion[] }
  | { readonly kind: "document"; readonly id: string };

/** Questions that are asked again and again until others take their place: what is asked twice must be answered alike. */
export function drawSearches(random: Random, count: number): SearchQuestion[] {
  return Array.from({ length: count }, (): SearchQuestion => {
    const mode = random.pick(MODES);
    // Below 200 the pools are larger; such pages are rare, and dear.
    const offset = random.pick([0, 0, 0, 0, 0, 0, 10, 90, 250]);
    const limit = random.pick([10, 10, 10, 1, 50]);
    const rule =
      mode === "hybrid" && random.below(3) === 0
        ? { fusion: random.pick(FUSION_RULES), weight: random.below(11) / 10 }
        : {};
    return { kind: "search", q: drawQuery(random), mode, offset, limit, ...rule };
  });
}

/** One question: mostly a search, now and then a batch, or a document that every state of the source has. */
export function drawQuestion(
  random: Random,
  searches: readonly SearchQuestion[],
  ids: readonly string[],
): Question {
  const kind = random.below(20);
  if (kind === 0) return { kind: "batch", searches: [random.pick(searches), random.pick(searches)] };
  if (kind === 1) return { kind: "document", id: random.pick(ids) };
  return random.pick(searches);
}

/** The request that asks it, below the address of a server. No word is corrected: that is another test's. */
export function requestOf(index: string, question: Question): readonly [path: string, init: RequestInit] {
  const here = `/v1/indexes/${encodeURIComponent(index)}`;
  switch (question.kind) {
    case "document":
      return [`${here}/documents/${encodeURIComponent(question.id)}`, {}];
    case "search": {
      const { kind: _, ...asked } = question;
      const words = Object.entries(asked).map(([name, value]): [string, string] => [name, String(value)]);
      return [`${here}/search?${new URLSearchParams([...words, ["typos", "false"]])}`, {}];
    }
    case "batch": {
      const queries = question.searches.map(({ kind: _, ...asked }) => ({ index, typos: false, ...asked }));
      const headers = { "content-type": "application/json" };
      return ["/v1/search", { method: "POST", headers, body: JSON.stringify({ queries }) }];
    }
  }
}
