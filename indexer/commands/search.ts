import { LightedgeError, printable } from "../../shared/errors.ts";
import { REQUEST_LIMITS } from "../../shared/limits.ts";
import type { SearchAnswer, SearchRequest } from "../../shared/types.ts";
import { FUSION_RULES, MODES } from "../../shared/types.ts";
import { openInNode } from "../engine-node.ts";
import { type Arguments, type Command, JSON_OPTION } from "./command.ts";
import { INDEX_OPTION, STORE_OPTION, storeOf } from "./options.ts";

/** `lightedge search`: one query against an index, in this process. */
export const searchCommand: Command = {
  name: "search",
  summary: "Search an index from the command line",
  positionals: { usage: '"QUERY"', least: 1, most: 1 },
  options: {
    index: INDEX_OPTION,
    store: STORE_OPTION,
    mode: { type: "string", choices: MODES, help: "which side ranks", default: "hybrid" },
    limit: {
      type: "number",
      integer: true,
      least: 1,
      most: REQUEST_LIMITS.limit,
      help: "hits wanted",
      default: 10,
    },
    offset: {
      type: "number",
      integer: true,
      least: 0,
      most: REQUEST_LIMITS.window - 1,
      help: "hits to leave out first",
      default: 0,
    },
    fusion: {
      type: "string",
      choices: FUSION_RULES,
      help: "how both sides are joined (default: the index's own)",
    },
    weight: { type: "number", least: 0, most: 1, help: "share of the dense side (default: the index's own)" },
    task: {
      type: "string",
      value: "NAME",
      help: "task whose query table is used (default: the index's first)",
    },
    explain: { type: "boolean", help: "show what each query word gave" },
    "no-typos": { type: "boolean", help: "search for every word as it is spelt" },
    json: JSON_OPTION,
  },
  async run(args, output) {
    const request = requestOf(args);
    const index = await openInNode(storeOf(args), args.text("index")!);
    const answer = await index.search(request);
    output.result(answer, () => render(answer));
    return 0;
  },
};

function requestOf(args: Arguments): SearchRequest {
  const q = args.positionals[0]!;
  if (q.trim() === "")
    throw new LightedgeError("usage/invalid", "QUERY must not be empty.", {
      field: "QUERY",
      value: printable(q),
    });
  const bytes = new TextEncoder().encode(q).length;
  if (bytes > REQUEST_LIMITS.queryBytes) {
    throw new LightedgeError(
      "usage/invalid",
      `QUERY has ${bytes} bytes; at most ${REQUEST_LIMITS.queryBytes} are allowed.`,
      {
        field: "QUERY",
        limit: REQUEST_LIMITS.queryBytes,
      },
    );
  }
  const [limit, offset] = [args.number("limit")!, args.number("offset")!];
  if (offset + limit > REQUEST_LIMITS.window) {
    throw new LightedgeError(
      "usage/invalid",
      `--offset and --limit reach to ${offset + limit}; at most ${REQUEST_LIMITS.window} is allowed.`,
      {
        field: "offset",
        limit: REQUEST_LIMITS.window,
      },
    );
  }
  const fusion = FUSION_RULES.find((rule) => rule === args.text("fusion"));
  const weight = args.number("weight");
  const task = args.text("task");
  return {
    q: q.toWellFormed(),
    mode: MODES.find((mode) => mode === args.text("mode")) ?? "hybrid",
    limit,
    offset,
    explain: args.flag("explain"),
    typos: !args.flag("no-typos"),
    ...(fusion === undefined ? {} : { fusion }),
    ...(weight === undefined ? {} : { weight }),
    ...(task === undefined ? {} : { task }),
  };
}

function render(answer: SearchAnswer): string {
  const head = `${answer.total} documents ranked in ${answer.took_ms} ms (${answer.index} ${answer.version}, ${answer.mode})`;
  const hits = answer.hits.map((hit, at) => {
    const title = typeof hit.fields.title === "string" && hit.fields.title !== "" ? hit.fields.title : hit.id;
    const scores = `${hit.score.toFixed(4)}  dense ${hit.dense.toFixed(4)}  sparse ${hit.sparse.toFixed(2)}`;
    const words = hit.explain?.words.map(
      ({ word, dense, sparse }) =>
        `     ${word.padEnd(20)} dense ${dense.toFixed(4).padStart(8)}  sparse ${sparse.toFixed(2).padStart(7)}`,
    );
    const snippet = hit.snippet.text.replaceAll(/\s+/gu, " ").trim();
    return [
      `${String(at + 1).padStart(3)}  ${title}  [${hit.id}]`,
      `     ${scores}`,
      ...(words ?? []),
      `     ${snippet}`,
    ].join("\n");
  });
  const corrections = (answer.corrections ?? []).map(
    ({ word, used }) =>
      `searched for ${used} instead of ${printable(word)}; --no-typos searches for what was typed`,
  );
  return [
    head,
    ...corrections,
    ...hits,
    ...(answer.warnings ?? []).map((warning) => `warning: ${warning}`),
  ].join("\n");
}
