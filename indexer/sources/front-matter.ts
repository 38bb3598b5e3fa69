import { parseDocument } from "yaml";
import { LightedgeError } from "../../shared/errors.ts";
import { invalid } from "./validate.ts";

/** Aliases resolved in one front matter: honest ones repeat a list or two, bombs repeat themselves. */
const MAX_ALIASES = 20;

/** A Markdown file taken apart. */
export interface FrontMatter {
  /** Members of the front matter in its order; none if the file has no front matter. */
  readonly fields: Map<string, unknown>;
  /** The Markdown below it. */
  readonly body: string;
}

/**
 * Takes off the YAML between a first line `---` and the next line `---`. Scalars and
 * lists of scalars are kept as they are, dates as their text, anything nested as its
 * JSON text. A block that is not a mapping is no front matter but a text between two
 * rules. Throws `source/invalid` with the line for YAML that cannot be read.
 */
export function splitFrontMatter(text: string): FrontMatter {
  const none = { fields: new Map<string, unknown>(), body: text };
  const opening = lineEnd(text, 0);
  if (text.slice(0, opening).trimEnd() !== "---") return none;
  let from = opening + 1;
  while (from < text.length) {
    const end = lineEnd(text, from);
    if (text.startsWith("---", from) && text.slice(from, end).trimEnd() === "---") {
      const fields = fieldsOf(text.slice(opening + 1, from));
      return fields === undefined ? none : { fields, body: text.slice(end + 1) };
    }
    from = end + 1;
  }
  return none;
}

function fieldsOf(yaml: string): Map<string, unknown> | undefined {
  // The core schema has no dates and no types of its own: nothing in a file can ask for one.
  const document = parseDocument(yaml, { schema: "core", uniqueKeys: true, logLevel: "silent" });
  const [error] = document.errors;
  if (error !== undefined) {
    // One line further down: the opening rule is not part of the YAML.
    const line = (error.linePos?.[0].line ?? 0) + 1;
    const message = `The front matter is not valid YAML. ${error.message.split("\n", 1)[0]}`;
    throw new LightedgeError("source/invalid", message, { line });
  }
  const value: unknown = document.toJS({ mapAsMap: true, maxAliasCount: MAX_ALIASES });
  if (value === null || value === undefined) return new Map();
  if (!(value instanceof Map)) return undefined;
  const fields = new Map<string, unknown>();
  for (const [key, item] of value) {
    if (typeof key === "object") throw invalid("The front matter has a key that is not a scalar.");
    fields.set(String(key), isFlat(item) ? item : JSON.stringify(plain(item)));
  }
  return fields;
}

function isFlat(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => item !== null && typeof item !== "object");
  return value === null || typeof value !== "object";
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map)
    return Object.fromEntries(Array.from(value, ([key, item]) => [String(key), plain(item)]));
  return value;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}
