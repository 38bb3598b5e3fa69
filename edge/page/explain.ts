/** The explain view: what each word of the query gave to a hit. */
import type { Explanation, Hit, WordShare } from "../../shared/types.ts";
import { element, setShare } from "./dom.ts";

/** What the colours mean. */
export function legend(): HTMLElement {
  return element(
    "p",
    { class: "legend" },
    element("span", {}, bar("dense", 1), "by meaning"),
    element("span", {}, bar("dense against", 1), "against, by meaning"),
    element("span", {}, bar("sparse", 1), "by words"),
  );
}

/** One chip for each word: two bars, and a background by its share in the fused score. */
export function explanation(explain: Explanation): HTMLElement {
  const { words, fusion } = explain;
  const dense = greatest(words, (word) => word.dense);
  const sparse = greatest(words, (word) => word.sparse);
  const share = fusedShare(words, fusion.weight);
  const most = greatest(words, share);
  const chips = words.map((word) => chip(word, { dense, sparse, share: share(word) / most }));
  return element("ul", { class: "words", "aria-label": "What each word of the query gave" }, ...chips);
}

/** The three scores of a hit in full. */
export function scores(hit: Hit): HTMLElement {
  const rows = [
    ["score", hit.score.toFixed(4)],
    ["meaning", hit.dense.toFixed(4)],
    ["words", hit.sparse.toFixed(2)],
  ] as const;
  return element(
    "dl",
    { class: "scores" },
    ...rows.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
  );
}

/**
 * A word's part in the fused score, 0 to 1: its parts of both sides, weighted as the sides
 * are. A word that pulls away from the hit counts as nothing.
 */
function fusedShare(words: readonly WordShare[], weight: number): (word: WordShare) => number {
  const dense = words.reduce((sum, word) => sum + Math.max(0, word.dense), 0) || 1;
  const sparse = words.reduce((sum, word) => sum + word.sparse, 0) || 1;
  return (word) => (weight * Math.max(0, word.dense)) / dense + ((1 - weight) * word.sparse) / sparse;
}

function chip(word: WordShare, scale: { dense: number; sparse: number; share: number }): HTMLElement {
  const meaning = word.dense.toFixed(3);
  const words = word.sparse.toFixed(2);
  const made = element(
    "li",
    { class: "word", title: `meaning ${meaning}, words ${words}` },
    element("span", {}, word.word),
    bar(word.dense < 0 ? "dense against" : "dense", Math.abs(word.dense) / scale.dense),
    bar("sparse", word.sparse / scale.sparse),
    element("span", { class: "hidden" }, `: meaning ${meaning}, words ${words}`),
  );
  return setShare(made, "--share", scale.share);
}

function bar(kind: string, part: number): HTMLElement {
  const fill = setShare(element("i", { class: `bar-fill ${kind}` }), "--part", part);
  return element("i", { class: "bar-track", "aria-hidden": "true" }, fill);
}

/** The greatest magnitude, never 0, so that it can be divided by. */
function greatest(words: readonly WordShare[], value: (word: WordShare) => number): number {
  return Math.max(...words.map((word) => Math.abs(value(word))), 0) || 1;
}
