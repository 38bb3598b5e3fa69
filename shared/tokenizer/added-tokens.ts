/** Tokens that are found in a text before anything else looks at it: the leftmost first, the longest on a tie. */
import type { SpelledToken } from "./tokenizer.ts";

/** A stretch of a text: plain, with -1, or an added token with its id. */
export type Stretch = (from: number, to: number, id: number) => boolean;

/** Calls back for each stretch of `[from, to)` in order until one gives false, and gives false then. */
export type Stretches = (text: string, from: number, to: number, each: Stretch) => boolean;

/** A finder of these tokens. Cost: for each character that begins one, a look for every length that such have. */
export function findAdded(added: readonly SpelledToken[]): Stretches {
  if (added.length === 0) return (_text, from, to, each) => from >= to || each(from, to, -1);
  const ids = new Map(added);
  /** By first unit, the lengths of the tokens that begin so, the longest first. */
  const lengths = new Map<number, number[]>();
  for (const [spelling] of added) {
    const first = spelling.charCodeAt(0);
    const known = lengths.get(first) ?? [];
    if (!known.includes(spelling.length)) known.push(spelling.length);
    lengths.set(first, known);
  }
  for (const known of lengths.values()) known.sort((a, b) => b - a);

  return (text, from, to, each) => {
    let plain = from;
    for (let at = from; at < to; at++) {
      const known = lengths.get(text.charCodeAt(at));
      if (known === undefined) continue;
      for (const length of known) {
        const id = at + length <= to ? ids.get(text.slice(at, at + length)) : undefined;
        if (id === undefined) continue;
        if (at > plain && !each(plain, at, -1)) return false;
        if (!each(at, at + length, id)) return false;
        plain = at + length;
        at = plain - 1;
        break;
      }
    }
    return plain >= to || each(plain, to, -1);
  };
}
