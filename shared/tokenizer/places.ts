/** Where the units of a changed text came from. Only `tokens` needs it; `ids` does not pay for it. */
import { libraryNfc } from "./unicode.ts";

/** A text after changes. `starts` and `ends` give, for each UTF-16 unit, where it came from; absent where nothing moved. */
export interface Placed {
  readonly text: string;
  readonly starts?: readonly number[];
  readonly ends?: readonly number[];
}

/** The place in the first text of `[start, end)` of the changed one; `end` above `start`. */
export function originOf({ starts, ends }: Placed, start: number, end: number): readonly [number, number] {
  return starts === undefined || ends === undefined ? [start, end] : [starts[start]!, ends[end - 1]!];
}

/** Lower case as models are trained with it, code point by code point: a sigma at a word's end is one as any other. */
export function lowerCase(text: string): string {
  return text.replaceAll("\u03a3", "\u03c3").toLowerCase();
}

/** The same, with places. */
export function placedLowerCase(text: string): Placed {
  const lower = lowerCase(text);
  if (lower.length === text.length) return { text: lower };
  return inPieces(text, [...text], (char) => char.toLowerCase().length, lower);
}

/** What may join the character before it, or change places with it. Hangul vowels and finals are letters. */
const ATTACHED = /[\s\S](?:[\p{M}\u1161-\u1175\u11a8-\u11c2]|\p{Cn})*/gu;

/** NFC of a text. A character and the marks behind it are one place. */
export function placedNfc(text: string): Placed {
  const whole = libraryNfc(text);
  if (whole === text) return { text };
  const pieces = text.match(ATTACHED) ?? [];
  return inPieces(text, pieces, (piece) => libraryNfc(piece).length, whole);
}

function inPieces(
  text: string,
  pieces: readonly string[],
  lengthOf: (piece: string) => number,
  changed: string,
): Placed {
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const piece of pieces) {
    const end = at + piece.length;
    for (let left = lengthOf(piece); left > 0; left--) {
      starts.push(at);
      ends.push(end);
    }
    at = end;
  }
  // Pieces that do not add up say nothing about the middle of the text: better its whole.
  if (starts.length !== changed.length) {
    starts.length = 0;
    ends.length = 0;
    for (let unit = 0; unit < changed.length; unit++) {
      starts.push(0);
      ends.push(text.length);
    }
  }
  return { text: changed, starts, ends };
}
