import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSpace, sentences } from "../../../shared/segment/sentences.ts";

const cut = (text: string) => sentences(text).map(([start, end]) => text.slice(start, end));

/** Units that decide something somewhere in the splitter, beside any others. */
const eventful = fc
  .array(
    fc.constantFrom(
      "a",
      "B",
      "J",
      "7",
      ".",
      "!",
      "?",
      "\u2026",
      " ",
      "\n",
      "\u00a0",
      '"',
      ")",
      "\u3002",
      "e.g",
      "no",
      "\u{1f600}",
      "\ud800",
    ),
  )
  .map((parts) => parts.join(""));
const anyText = fc.oneof(eventful, fc.string({ unit: "binary" }));

describe("sentences", () => {
  it.each([
    ["ends at stops before white space", "One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]],
    [
      "keeps closing quotes and brackets",
      'He said "go." (Then left.) Done.',
      ['He said "go."', "(Then left.)", "Done."],
    ],
    [
      "goes on after titles and initials",
      "Dr. J. K. Smith met Mrs. Lee. They left.",
      ["Dr. J. K. Smith met Mrs. Lee.", "They left."],
    ],
    [
      "goes on inside numbers and names",
      "Pi is 3.14 in v1.2.3. See x.org/a.",
      ["Pi is 3.14 in v1.2.3.", "See x.org/a."],
    ],
    [
      "tells a number from a refusal",
      "See no. 5 there. She said no. Then 7.",
      ["See no. 5 there.", "She said no.", "Then 7."],
    ],
    [
      "lets etc. close a sentence",
      "Cats etc. are pets. Dogs etc. They bark.",
      ["Cats etc. are pets.", "Dogs etc.", "They bark."],
    ],
    ["ends after the pronoun I", "So am I. You too.", ["So am I.", "You too."]],
    ["keeps the number of a list item", "1. Install it. 2. Run it.", ["1. Install it.", "2. Run it."]],
    [
      "goes on after dots that trail off",
      "Well... maybe. Well... Maybe.",
      ["Well... maybe.", "Well...", "Maybe."],
    ],
    [
      "ends at full-width stops without a space",
      "\u4f60\u597d\u3002\u518d\u89c1\uff01",
      ["\u4f60\u597d\u3002", "\u518d\u89c1\uff01"],
    ],
    ["ends at empty lines and headings", "Set up\n\nfirst run it", ["Set up", "first run it"]],
    [
      "joins a hard-wrapped paragraph",
      "a wing in\na slipstream . the\nresults",
      ["a wing in\na slipstream .", "the\nresults"],
    ],
    [
      "cuts lines that start anew",
      "First item\nSecond item\n  indented",
      ["First item", "Second item", "indented"],
    ],
    ["finds nothing in white space", " \n\u00a0\ufeff ", []],
  ])("%s", (_, text, expected) => {
    expect(cut(text)).toEqual(expected);
  });

  it("covers every character that is not white space, in order and trimmed, for any text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let from = 0;
        for (const [start, end] of sentences(text)) {
          expect(start).toBeGreaterThanOrEqual(from);
          expect(end).toBeGreaterThan(start);
          expect(text.slice(from, start).trim()).toBe("");
          expect(text.slice(start, end).trim()).toBe(text.slice(start, end));
          from = end;
        }
        expect(text.slice(from).trim()).toBe("");
      }),
      { numRuns: 500 },
    );
  });

  it("calls white space what regular expressions call so", () => {
    for (let unit = 0; unit < 0x10000; unit++) {
      if (isSpace(unit) !== /\s/.test(String.fromCharCode(unit))) expect.unreachable(unit.toString(16));
    }
  });

  it.each([
    ".",
    " ",
    "\n",
    ". ",
    '."',
    "a.",
    "e.g. ",
    "a\n",
    "J. ",
    "...)",
    "\u3002)",
    " .\n",
    "aaaaaaaaaaaaaa.",
  ])("looks at each unit a bounded number of times in repeats of %j", (piece) => {
    const looks = (size: number) => {
      const text = piece.repeat(size / piece.length);
      let count = 0;
      const counting = {
        length: text.length,
        slice: (start: number, end: number) => {
          count += end - start;
          return text.slice(start, end);
        },
        charCodeAt: (at: number) => {
          count++;
          return text.charCodeAt(at);
        },
      };
      // The splitter uses no other members of a string, which this stand-in proves by working.
      sentences(counting as unknown as string);
      return count / text.length;
    };
    expect(looks(20_000)).toBeLessThan(24);
    expect(looks(20_000) / looks(2_000)).toBeLessThan(1.05);
  });
});
