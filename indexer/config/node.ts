/** YAML as values that know where they stand, so that every refusal names file, line and key. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { LightedgeError, printable } from "../../shared/errors.ts";

/** Bytes of a config file. Thousands of indexes fit. */
const MOST_BYTES = 1 << 20;

/** A value of a config file. */
export interface ConfigNode {
  /** As messages write it: `indexes[1].overlap`. */
  readonly key: string;
  /** From 1. */
  readonly line: number;
  /** Whether it is a mapping, where another form is allowed too. */
  isMapping(): boolean;
  /** The values by key, all of which must be among those allowed. */
  mapping(allowed: readonly string[]): ReadonlyMap<string, ConfigNode>;
  /** The items, at least one. */
  list(): readonly ConfigNode[];
  /** The scalar: text, number, true or false. */
  scalar(wanted: string): string | number | boolean;
  /** Text of at least one character. */
  text(): string;
  /** The refusal of this value: what it must be, and what it is. */
  wrong(wanted: string, limit?: number): LightedgeError;
  /** Another refusal of this value. */
  refuse(message: string, limit?: number): LightedgeError;
}

/** The value of a whole file. Throws `usage/invalid` with the line for what is not YAML; tags, dates and merge keys mean nothing here. */
export function parseConfig(file: string, text: string): ConfigNode {
  if (Buffer.byteLength(text) > MOST_BYTES)
    throw problem(file, 1, "", `it has more than ${MOST_BYTES} bytes.`, { limit: MOST_BYTES });
  const lines = new LineCounter();
  const document = parseDocument(text, {
    schema: "core",
    uniqueKeys: true,
    lineCounter: lines,
    // Not silent: a second document would go unnoticed.
    logLevel: "error",
  });
  const [error] = document.errors;
  if (error !== undefined) {
    const [first = ""] = error.message.split(/ at line |\n/u);
    throw problem(file, error.linePos?.[0].line ?? 1, "", `this is not YAML as it is wanted here: ${first}.`);
  }
  const lineOf = (node: Node | null, otherwise: number) =>
    node?.range ? lines.linePos(node.range[0]).line : otherwise;

  function nodeOf(found: unknown, key: string, around: number): ConfigNode {
    const given = found as Node | null;
    const line = lineOf(given, around);
    const node = isAlias(given) ? (given.resolve(document) ?? null) : given;
    const refuse = (message: string, limit?: number) =>
      problem(file, line, key, message, {
        value: shown(node),
        ...(limit === undefined ? {} : { limit }),
      });
    const wrong = (wanted: string, limit?: number) =>
      refuse(`${key === "" ? "the file" : key} must be ${wanted}, not ${shown(node)}.`, limit);
    const self: ConfigNode = {
      key,
      line,
      wrong,
      refuse,
      isMapping: () => isMap(node),
      mapping(allowed) {
        if (!isMap(node)) throw wrong(`a mapping with keys of ${allowed.join(", ")}`);
        const entries = node.items.map((pair): [string, ConfigNode] => {
          const name = isScalar(pair.key) ? String(pair.key.value) : shown(pair.key);
          const at = lineOf(pair.key as Node, line);
          const path = key === "" ? name : `${key}.${name}`;
          if (!allowed.includes(name)) {
            const where = key === "" ? "" : ` of ${key}`;
            throw problem(
              file,
              at,
              path,
              `the key ${printable(name)}${where} is not known here; known are ${allowed.join(", ")}.`,
              {
                value: printable(name),
              },
            );
          }
          return [name, nodeOf(pair.value, path, at)];
        });
        return new Map(entries);
      },
      list() {
        if (!isSeq(node) || node.items.length === 0) throw wrong("a list of at least one item");
        return node.items.map((item, at) => nodeOf(item, `${key}[${at}]`, line));
      },
      scalar(wanted) {
        const value: unknown = isScalar(node) ? node.value : null;
        if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
          return value;
        throw wrong(wanted);
      },
      text() {
        const value = self.scalar("text");
        if (typeof value === "string" && value.trim() !== "") return value;
        throw wrong("text");
      },
    };
    return self;
  }
  return nodeOf(document.contents, "", 1);
}

function shown(node: unknown): string {
  if (isMap(node)) return "a mapping";
  if (isSeq(node)) return node.items.length === 0 ? "an empty list" : "a list";
  if (isScalar(node)) return node.value === null ? "nothing" : printable(node.value);
  return "nothing";
}

function problem(
  file: string,
  line: number,
  key: string,
  message: string,
  details: { readonly value?: string; readonly limit?: number } = {},
): LightedgeError {
  return new LightedgeError("usage/invalid", `${file}:${line}: ${message}`, {
    file,
    line,
    ...(key === "" ? {} : { field: key }),
    ...details,
  });
}
