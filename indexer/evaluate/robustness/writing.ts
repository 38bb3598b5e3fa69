/** Q3: the same query in other characters. What a reader takes for the same should find the same. */

import type { Suite } from "./suite.ts";
import { type Change, identicalRow, variantsOf } from "./variants.ts";

const LIGATURES: Readonly<Record<string, string>> = {
  ffi: "\ufb03",
  ffl: "\ufb04",
  ff: "\ufb00",
  fi: "\ufb01",
  fl: "\ufb02",
};
const ACUTE = "\u0301";

/** The ways to write a query, by name. Null where a query has nothing to write so. */
export const WRITINGS: Readonly<Record<string, Change>> = {
  "upper case": (text) => differing(text, text.toUpperCase()),
  "title case": (text) =>
    differing(
      text,
      text.replaceAll(/(?<![\p{L}\p{M}])\p{L}/gu, (letter) => letter.toUpperCase()),
    ),
  "accents, composed": (text) => differing(text, accented(text).normalize("NFC")),
  "accents, decomposed": (text) => differing(text, accented(text).normalize("NFD")),
  "full-width letters": (text) =>
    differing(
      text,
      text.replaceAll(/[!-~]/gu, (char) => String.fromCodePoint(char.codePointAt(0)! + 0xfee0)),
    ),
  ligatures: (text) =>
    differing(
      text,
      text.replaceAll(/ffi|ffl|ff|fi|fl/gu, (letters) => LIGATURES[letters]!),
    ),
  "dotted capital I": (text) => differing(text, text.replaceAll("i", "\u0130")),
  "curly quotes": (text) => [`"${text}"`, `\u201c${text}\u201d`],
  "curly apostrophes": (text) => differing(text, text.replaceAll("'", "\u2019")),
  "zero-width space in words": (text) =>
    differing(text, text.replaceAll(/(?<=\p{L}{2})(?=\p{L}{2})/gu, "\u200b")),
  "soft hyphens": (text) => differing(text, text.replaceAll(/(?<=\p{L}{3})(?=\p{L}{3})/gu, "\u00ad")),
  "byte order mark": (text) => `\ufeff${text}`,
  "variation selector": (text) => `${text}\ufe0f`,
  "spaces around and doubled": (text) => `  ${text.replaceAll(" ", "  ")} \t\n`,
  "no-break spaces": (text) => differing(text, text.replaceAll(" ", "\u00a0")),
};

export const writing: Suite = {
  name: "writing",
  async run(subject) {
    const rows = [];
    for (const [name, change] of Object.entries(WRITINGS)) {
      rows.push(await identicalRow(subject, name, variantsOf(subject, change)));
    }
    return {
      suite: "writing",
      measure: "Share of queries whose first ten documents stay the same, in the same order",
      unit: "queries",
      rows,
    };
  },
};

function accented(text: string): string {
  return text.replaceAll(/[aeiou]/gu, (vowel) => vowel + ACUTE);
}

function differing(text: string, changed: string): string | null {
  return changed === text ? null : changed;
}
