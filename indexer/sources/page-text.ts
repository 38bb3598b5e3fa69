import type { Section } from "./source.ts";

/** What a page says once its markup is gone; not yet validated. */
export interface Page {
  /** Fields other than title and text, in the page's order. */
  readonly fields: readonly (readonly [string, unknown])[];
  /** Empty if the page does not name itself. */
  readonly title: string;
  readonly text: string;
  readonly sections: readonly Section[];
}

/** Separators from narrow to wide: cells of a row; lines, items and rows; blocks. */
const GAPS = ["", "\t", "\n", "\n\n"] as const;
type Gap = (typeof GAPS)[number];

/**
 * Builds the readable text of a page from its parts. White space is collapsed as a
 * browser does it, no-break spaces included; a tab stands between cells, a line feed
 * between lines, items and rows, an empty line between blocks.
 */
export class PageText {
  readonly #parts: string[] = [];
  readonly #headings: Omit<Section, "end">[] = [];
  readonly #anchors = new Anchors();
  #title: string;
  #titleSeen = false;
  #length = 0;
  #gap: Gap = "";
  #space = false;

  /** With an empty title the page takes the words of its first h1. */
  constructor(title: string) {
    this.#title = collapse(title);
  }

  /** Adds running text; a run of white space counts as one space. */
  words(text: string): void {
    const collapsed = text.replace(/\s+/g, " ");
    const bare = collapsed.trim();
    if (collapsed.startsWith(" ")) this.#space = true;
    if (bare === "") return;
    this.#append(bare);
    this.#space = collapsed.endsWith(" ");
  }

  /** Adds text whose line ends and indentation mean something; empty lines around it are dropped. */
  verbatim(text: string): void {
    const bare = withoutBlankEdges(text.replaceAll("\r\n", "\n"));
    if (bare !== "") this.#append(bare);
  }

  /** Sets the next text apart. Of several gaps in a row the widest counts; none stands at the very start. */
  gap(gap: Gap): void {
    if (GAPS.indexOf(gap) > GAPS.indexOf(this.#gap)) this.#gap = gap;
  }

  /**
   * Adds a heading as a block of its own and begins its section. The first one that
   * says what the title says begins a section but is not repeated in the text.
   * Without an anchor of its own it gets the one GitHub would give.
   */
  heading(level: number, words: string, anchor?: string): void {
    const heading = collapse(words);
    if (heading === "") return;
    if (this.#title === "" && level === 1) this.#title = heading;
    const repeats = heading === this.#title && !this.#titleSeen;
    this.gap("\n\n");
    const start = this.#length === 0 ? 0 : this.#length + this.#gap.length;
    this.#headings.push({ start, level, heading, anchor: anchor || this.#anchors.next(heading) });
    if (repeats) this.#titleSeen = true;
    else this.#append(heading);
    this.gap("\n\n");
  }

  /** The page so far, with these fields. */
  page(fields: Page["fields"]): Page {
    const length = this.#length;
    const sections = this.#headings.map((heading, i) => ({
      ...heading,
      // A title's heading with nothing below begins behind the end.
      start: Math.min(heading.start, length),
      end: Math.min(this.#headings[i + 1]?.start ?? length, length),
    }));
    return { fields, title: this.#title, text: this.#parts.join(""), sections };
  }

  #append(text: string): void {
    const before = this.#length === 0 ? "" : this.#gap || (this.#space ? " " : "");
    this.#parts.push(before, text);
    this.#length += before.length + text.length;
    this.#gap = "";
    this.#space = false;
  }
}

/** A text on one line with single spaces. */
export function collapse(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** Anchors as GitHub makes them: lower case, punctuation out, spaces to hyphens, `-1`, `-2` where one is taken. */
class Anchors {
  /** Anchors given out, with the last number tried behind each, so that a thousand equal headings take a thousand steps. */
  readonly #taken = new Map<string, number>();

  next(heading: string): string {
    const letters = heading.toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "");
    const base = letters.replaceAll(" ", "-");
    let anchor = base;
    let count = this.#taken.get(base) ?? 0;
    while (this.#taken.has(anchor)) anchor = `${base}-${++count}`;
    this.#taken.set(base, count);
    if (anchor !== base) this.#taken.set(anchor, 0);
    return anchor;
  }
}

function withoutBlankEdges(text: string): string {
  const bare = text.trimEnd();
  // The first line keeps its indentation: only whole blank lines go.
  const lead = bare.length - bare.trimStart().length;
  return bare.slice(bare.lastIndexOf("\n", lead) + 1);
}
