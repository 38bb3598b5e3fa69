/**
 * The configuration of the Worker, out of the one that is written by hand: its buckets and the variables that follow
 * from a config file are put in, all else stays to the letter. The same input gives the same bytes.
 */
import { LightedgeError, printable } from "../../shared/errors.ts";
import {
  REGIONS_VARIABLE,
  SHARDS_BINDING,
  SHARDS_CLASS,
  serializeRegions,
} from "../../shared/regions/region.ts";
import { writeDuration } from "../commands/duration.ts";
import type { Config } from "../config/config.ts";
import { type Bucket, bucketsOf } from "./buckets.ts";

/** A table of the file: the comments before its header, the header, and its lines. */
interface Table {
  /** `r2_buckets` of `[[r2_buckets]]`; empty for what comes before the first header. */
  readonly name: string;
  readonly lead: readonly string[];
  readonly lines: readonly string[];
}

const HEADER = /^\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]\]?\s*(?:#.*)?$/u;
/** Keys that must be tables of their own to be found: written inline they would stay beside what is put in. */
const TABLES = ["r2_buckets", "durable_objects", "migrations", "vars"] as const;

/** The hand-written file with what the config says. Throws `usage/invalid` for a form of it that is not understood, and as `bucketsOf`. */
export function generateWrangler(
  base: string,
  config: Pick<Config, "file" | "store" | "regions" | "indexes">,
): string {
  const tables = tablesIn(base);
  const buckets = bucketTables(bucketsOf(config));
  const at = tables.findIndex(({ name }) => name === "r2_buckets");
  const rest = tables.filter(({ name }) => name !== "r2_buckets");
  const place = at === -1 ? rest.length : at;
  const put = [...rest.slice(0, place), ...buckets, ...rest.slice(place)];
  const withVars = setVariables(put, variablesOf(config));
  const bound = tables.some(
    ({ name, lines }) =>
      name === "durable_objects.bindings" && lines.some((line) => textAt(line, "name") === SHARDS_BINDING),
  );
  return `${[NOTE, "", ...[...withVars, ...(bound ? [] : OBJECTS)].flatMap(textOf)].join("\n").trimEnd()}\n`;
}

const NOTE = `# Written by "lightedge deploy" out of wrangler.toml and a config file. Edit those, and not this.`;

const OBJECTS: readonly Table[] = [
  {
    name: "durable_objects.bindings",
    lead: ["", "# Shards of indexes that are too large for one isolate."],
    lines: ["[[durable_objects.bindings]]", `name = "${SHARDS_BINDING}"`, `class_name = "${SHARDS_CLASS}"`],
  },
  {
    name: "migrations",
    lead: [""],
    lines: ["[[migrations]]", 'tag = "shards-1"', `new_sqlite_classes = ["${SHARDS_CLASS}"]`],
  },
];

function bucketTables(buckets: readonly [Bucket, ...Bucket[]]): readonly Table[] {
  const [home] = buckets;
  const table = (binding: string, { name, jurisdiction }: Bucket, comment: string): Table => ({
    name: "r2_buckets",
    lead: ["", `# ${comment}`],
    lines: [
      "[[r2_buckets]]",
      `binding = "${binding}"`,
      `bucket_name = "${name}"`,
      ...(jurisdiction === null ? [] : [`jurisdiction = "${jurisdiction}"`]),
    ],
  });
  return [
    table("BUCKET", home, "Home: versions are made here, and writes at the edge go here."),
    ...buckets.flatMap((bucket) =>
      bucket.region === null ? [] : [table(bucket.region.bucketBinding, bucket, `${bucket.region.title}.`)],
    ),
  ];
}

function variablesOf({ regions, indexes }: Pick<Config, "regions" | "indexes">): ReadonlyMap<string, string> {
  const ages = indexes.flatMap(({ spec }) =>
    spec.maxAge === undefined ? [] : [`${spec.index}=${writeDuration(spec.maxAge)}`],
  );
  return new Map([
    ...(regions.length === 0
      ? []
      : [[REGIONS_VARIABLE, serializeRegions(regions.map(({ region }) => region))] as const]),
    ["INDEXES", indexes.map(({ spec }) => spec.index).join(",")],
    ...(ages.length === 0 ? [] : [["INDEX_MAX_AGE", ages.join(",")] as const]),
  ]);
}

/** Variables take the place of those of the same name, or come at the end of `[vars]`. */
function setVariables(tables: readonly Table[], values: ReadonlyMap<string, string>): readonly Table[] {
  const known = tables.some(({ name }) => name === "vars");
  const all = known ? tables : [...tables, { name: "vars", lead: [""], lines: ["[vars]"] }];
  return all.map((table) => {
    if (table.name !== "vars") return table;
    const left = new Map(values);
    const lines = table.lines.map((line) => {
      const key = /^\s*([A-Za-z0-9_-]+)\s*=/u.exec(line)?.[1] ?? "";
      const value = left.get(key);
      if (value === undefined) return line;
      left.delete(key);
      return `${key} = ${JSON.stringify(value)}`;
    });
    const added = Array.from(left).flatMap(([key, value]) => [
      ...(key === REGIONS_VARIABLE ? ["# Regions, home first."] : []),
      `${key} = ${JSON.stringify(value)}`,
    ]);
    return { ...table, lines: [...lines, ...added] };
  });
}

function tablesIn(text: string): readonly Table[] {
  if (/"""|'''/u.test(text)) throw refused("a text of several lines", "write it in one");
  const tables: { name: string; lead: string[]; lines: string[] }[] = [{ name: "", lead: [], lines: [] }];
  for (const line of text.replace(/\n$/u, "").split(/\r?\n/u)) {
    const name = HEADER.exec(line)?.[1];
    const before = tables.at(-1)!;
    if (name === undefined) {
      before.lines.push(line);
      continue;
    }
    // Comments and blank lines before a header belong to it.
    let from = before.lines.length;
    while (from > 0 && /^\s*(?:#.*)?$/u.test(before.lines[from - 1]!)) from--;
    tables.push({ name, lead: before.lines.splice(from), lines: [line] });
  }
  const inline = tables[0]!.lines.map((line) => /^\s*([A-Za-z0-9_-]+)\b/u.exec(line)?.[1]);
  const wrong = TABLES.find((name) => inline.includes(name));
  if (wrong !== undefined) throw refused(wrong, `write it as a table, [${wrong}] or [[${wrong}]]`);
  return tables;
}

/** The text that a line sets a key to; undefined for another line. */
function textAt(line: string, key: string): string | undefined {
  return new RegExp(`^\\s*${key}\\s*=\\s*["']([^"']*)["']`, "u").exec(line)?.[1];
}

function textOf({ lead, lines }: Table): readonly string[] {
  return [...lead, ...lines];
}

function refused(what: string, remedy: string): LightedgeError {
  return new LightedgeError("usage/invalid", `wrangler.toml has ${printable(what)}; ${remedy}.`, {
    field: what,
    file: "wrangler.toml",
  });
}
