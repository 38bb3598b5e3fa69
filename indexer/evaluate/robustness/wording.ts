/** Q4: the same question in other words, as far as that can be made without asking anybody (the kinds are those of Penha, Camara and Hauff 2022, arXiv 2111.13057). */
import type { Suite } from "./suite.ts";
import { type Change, keptRow, typedRow, variantsOf } from "./variants.ts";

const STOPWORDS: ReadonlySet<string> = new Set(
  (
    "a about an and are as at be been by can did do does for from had has have he her his how i if in into is " +
    "it its of on or our she than that the their there they this to was we were what when where which while " +
    "who whom whose why will with you your"
  ).split(" "),
);

/** The ways to ask, by name. */
export const WORDINGS: Readonly<Record<string, Change>> = {
  "stop words dropped": (text) => {
    const words = wordsOf(text);
    const kept = words.filter((word) => !STOPWORDS.has(word.toLowerCase()));
    return kept.length > 0 && kept.length < words.length ? kept.join(" ") : null;
  },
  "two neighbours swapped": (text, random) => {
    const words = wordsOf(text);
    const places = words.slice(1).flatMap((word, at) => (word === words[at] ? [] : [at]));
    if (places.length === 0) return null;
    const at = random.pick(places);
    return [...words.slice(0, at), words[at + 1], words[at], ...words.slice(at + 2)].join(" ");
  },
  "please tell me about": (text) => `please tell me about ${text}`,
  "could you find out, thanks": (text) => `could you find out ${text} thank you`,
  "question mark": (text) => (text.endsWith("?") ? null : `${text}?`),
};

export const wording: Suite = {
  name: "wording",
  async run(subject) {
    const rows = [await typedRow(subject, "as typed (nDCG@10)")];
    for (const [name, change] of Object.entries(WORDINGS)) {
      rows.push(await keptRow(subject, name, variantsOf(subject, change)));
    }
    return { suite: "wording", measure: "nDCG@10 so worded over nDCG@10 as typed", unit: "queries", rows };
  },
};

/** The words of a text as white space divides them. */
export function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/u).filter((word) => word !== "");
}
