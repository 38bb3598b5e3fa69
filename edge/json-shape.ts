/**
 * What `JSON.parse` does not refuse: nesting without end, and a key that occurs twice in
 * one object (the last would silently win). One pass over the text before it is parsed;
 * text that is not JSON passes here and fails there.
 */
import { LightedgeError, printable } from "../shared/errors.ts";
import { fieldName } from "./query-string.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Throws `request/invalid` where arrays and objects nest deeper than `maxDepth` or a key repeats.
 * Linear in the text.
 */
export function checkJsonShape(text: string, maxDepth: number): void {
  // The keys of each open object; null for an open array.
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case "{":
      case "[":
        if (open.length === maxDepth) {
          throw new LightedgeError("request/invalid", `The body nests deeper than ${maxDepth} levels.`, {
            field: "body",
            limit: maxDepth,
          });
        }
        open.push(text[i] === "{" ? new Set() : null);
        break;
      case "}":
      case "]":
        open.pop();
        break;
      case '"': {
        const end = endOfString(text, i);
        const keys = open.at(-1);
        if (keys && isKey(text, end)) addKey(keys, text.slice(i, end));
        i = end - 1;
      }
    }
  }
}

/** The place after the closing quote, or the end of the text where there is none. */
function endOfString(text: string, quote: number): number {
  for (let i = quote + 1; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === BACKSLASH) i++;
    else if (unit === QUOTE) return i + 1;
  }
  return text.length;
}

/** Whether a string that ended before `at` is followed by a colon. */
function isKey(text: string, at: number): boolean {
  let i = at;
  while (text[i] === " " || text[i] === "\n" || text[i] === "\r" || text[i] === "\t") i++;
  return text[i] === ":";
}

function addKey(keys: Set<string>, literal: string): void {
  let key: string;
  try {
    // Parsed, because "q" and "\u0071" are the same key.
    key = String(JSON.parse(literal));
  } catch {
    return;
  }
  if (keys.has(key)) {
    throw new LightedgeError("request/invalid", `The key ${printable(key)} occurs twice in one object.`, {
      field: fieldName(key),
    });
  }
  keys.add(key);
}
