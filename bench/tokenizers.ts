/**
 * Questions: are the ids those of the reference library, and what does a tokenizer cost at the edge: bytes, a cold
 * start in workerd, memory, microseconds for a query of 8 tokens? The same file as the library takes it is the peer.
 *
 *   node bench/tokenizers.ts --folder DIR [--strings 100000] [--seed 1] [--python python3] [--isolates 5] [--only a,b] [--json]
 *
 * DIR has a folder for each model with its tokenizer.json. Strings and ids come from `tokenizers/reference.py`, which
 * needs the Python library; `--strings 0` leaves them out, `--isolates 0` workerd. Exits 1 where ids differ.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeTokenizerFile } from "../shared/format/tokenizer-file.ts";
import { sha256 } from "../shared/hash.ts";
import { compactTokenizer, libraryFile, loadTokenizer } from "../shared/tokenizer/load.ts";
import type { Tokenizer, TokenizerFile } from "../shared/tokenizer/tokenizer.ts";
import { report } from "./report.ts";
import { against, type Result, round } from "./result.ts";
import { type Cold, measureCold } from "./tokenizers/cold.ts";

const { values } = parseArgs({
  options: {
    folder: { type: "string" },
    only: { type: "string" },
    strings: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    python: { type: "string", default: "python3" },
    isolates: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
  },
});
const here = (name: string) => fileURLToPath(new URL(`tokenizers/${name}`, import.meta.url));
const QUERY_FILE = fileURLToPath(new URL("../examples/nq-qed/queries.jsonl", import.meta.url));
/** Queries that are timed, and the tokens of each. */
const QUERIES = 200;
const TOKENS = 8;

if (values.folder === undefined) throw new Error("--folder DIR is needed.");
const scratch = mkdtempSync(join(tmpdir(), "lightedge-tokenizers-"));
const results: Result[] = [];
try {
  for (const name of readdirSync(values.folder).sort()) {
    if (values.only !== undefined && !values.only.split(",").includes(name)) continue;
    const path = join(values.folder, name, "tokenizer.json");
    if (existsSync(path)) results.push(...(await measure(name, path)));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
report(results, values.json);

async function measure(name: string, path: string): Promise<readonly Result[]> {
  const json = readFileSync(path, "utf8");
  const stored = compactTokenizer(json, false);
  const tokenizer = loadTokenizer(stored);
  const queries = eightTokens(tokenizer);
  const asked = Number(values.strings);
  const equal = asked > 0 ? [await equality(name, path, tokenizer, asked)] : [];
  const ours = await cost(stored, queries, tokenizer);
  const peer = stored.kind === "library" ? null : await cost(libraryFile(json, false), queries, tokenizer);
  const note = `${stored.kind}, ${tokenizer.vocabulary} tokens`;
  const figure = (what: string, unit: string, of: (cost: Cost) => number, more?: (cost: Cost) => string) => {
    const result = { name: `${name} ${what}`, value: of(ours), unit, note: more?.(ours) ?? note };
    return peer === null ? result : against(result, "library", of(peer), "less");
  };
  const cold =
    ours.cold === null
      ? []
      : [
          figure(
            "cold start",
            "ms",
            ({ cold }) => cold?.total ?? Number.NaN,
            ({ cold }) =>
              Object.entries(cold?.steps ?? {})
                .map(([step, ms]) => `${step} ${ms}`)
                .join(", "),
          ),
          figure("workerd grows", "MB", ({ cold }) => cold?.megabytes ?? Number.NaN),
        ];
  return [
    ...equal,
    figure("stored", "bytes", ({ bytes }) => bytes),
    figure("load, Node", "ms", ({ heap }) => heap.load_ms),
    figure(
      "memory, Node",
      "MB",
      ({ heap }) => round(heap.heap_mb + heap.buffers_mb),
      ({ heap }) => `heap ${heap.heap_mb}, buffers ${heap.buffers_mb}`,
    ),
    figure(
      "query",
      "us",
      ({ heap }) => heap.query_us,
      () => `${queries.length} queries of ${TOKENS} tokens, words not seen before`,
    ),
    figure(
      "query again",
      "us",
      ({ heap }) => heap.seen_us,
      () => "the same, seen before",
    ),
    ...cold,
  ];
}

interface Cost {
  readonly bytes: number;
  readonly heap: Readonly<Record<"load_ms" | "query_us" | "seen_us" | "heap_mb" | "buffers_mb", number>>;
  readonly cold: Cold | null;
}

async function cost(stored: TokenizerFile, queries: readonly string[], { ids }: Tokenizer): Promise<Cost> {
  const { bytes } = await writeTokenizerFile(
    { encoder: await sha256("no encoder"), lowercase: false },
    stored,
  );
  const file = join(scratch, "tokenizer.bin");
  writeFileSync(file, bytes);
  const printed = execFileSync(process.execPath, ["--expose-gc", here("heap.ts"), file], {
    input: queries.join("\n"),
  });
  const isolates = Number(values.isolates);
  return {
    bytes: bytes.length,
    heap: JSON.parse(printed.toString()) as Cost["heap"],
    cold: isolates > 0 ? await measureCold(bytes, queries[0]!, ids(queries[0]!), isolates) : null,
  };
}

/** How many of the reference's strings have its ids. */
async function equality(name: string, path: string, tokenizer: Tokenizer, strings: number): Promise<Result> {
  const reference = spawn(values.python, [here("reference.py"), path, String(strings), values.seed], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let equal = 0;
  let seen = 0;
  for await (const line of createInterface({ input: reference.stdout })) {
    const [text, ids] = JSON.parse(line) as readonly [string, readonly number[]];
    const found = tokenizer.ids(text);
    seen++;
    if (found.length === ids.length && found.every((id, at) => id === ids[at])) equal++;
    else
      process.stderr.write(`${name}: ${JSON.stringify(text)} is [${found}], and [${ids}] to the reference\n`);
  }
  if (seen !== strings) throw new Error(`The reference gave ${seen} strings of ${strings}.`);
  if (equal !== seen) process.exitCode = 1;
  return {
    name: `${name} ids equal`,
    value: equal,
    unit: "strings",
    note: `of ${seen}, seed ${values.seed}`,
  };
}

/** Beginnings of the shipped example's queries that have exactly eight tokens. */
function eightTokens(tokenizer: Tokenizer): readonly string[] {
  const found: string[] = [];
  for (const line of readFileSync(QUERY_FILE, "utf8").split("\n")) {
    const words = line === "" ? [] : (JSON.parse(line) as { readonly text: string }).text.split(" ");
    const pieces = words.map((_, at) => words.slice(0, at + 1).join(" "));
    const piece = pieces.find((text) => tokenizer.ids(text).length === TOKENS);
    if (piece !== undefined && found.length < QUERIES) found.push(piece);
  }
  return found;
}
