import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { generateWrangler } from "../deploy/wrangler-config.ts";
import { showProgress } from "../progress.ts";
import { type RegionState, regionStates } from "../regions/state.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { writeDuration } from "./duration.ts";
import { INDEX_OPTION, regionsOfConfig } from "./regional.ts";
import { chosenIndexes, configOf } from "./reindex.ts";

const WRANGLER_TOML = fileURLToPath(new URL("../../wrangler.toml", import.meta.url));

/** `lightedge regions`: which version each region has. */
export const regionsCommand: Command = {
  name: "regions",
  summary: "Show which version of each index each region has, how far behind it is and what it lacks",
  positionals: { usage: "[CONFIG]", least: 0, most: 1 },
  options: {
    index: INDEX_OPTION,
    wrangler: {
      type: "boolean",
      help: "print the configuration of the Worker with the bindings of all regions, and look at no store",
    },
    json: JSON_OPTION,
  },
  notes:
    "Exit codes: 0 all regions have home's versions whole, 1 at least one has not, or cannot be reached, 2 the command or the config file was not understood.",
  async run(args, output) {
    const config = await configOf(args);
    if (args.flag("wrangler")) {
      const wrangler = generateWrangler(await readFile(WRANGLER_TOML, "utf8"), config);
      output.result({ config: config.file, wrangler }, () => wrangler.trimEnd());
      return 0;
    }
    const regions = regionsOfConfig(config);
    const indexes = chosenIndexes(config, args.texts("index")).map(({ spec }) => spec.index);
    const progress = showProgress(process.stderr);
    const states = await regionStates(regions, indexes, Date.now());
    for (const state of states)
      if (state.kind === "unknown")
        progress.warn(`${state.index} in ${state.region}: ${state.error.message}`);
    const home = regions.home.region.name;
    output.result({ config: config.file, home, states: states.map(factsOf) }, () => render(states));
    return states.every(isWell) ? 0 : 1;
  },
};

function isWell(state: RegionState): boolean {
  return state.kind === "known" && state.standing === "same" && state.missing === 0;
}

function factsOf(state: RegionState): Readonly<Record<string, unknown>> {
  if (state.kind === "known") return { ...state };
  const { code, message, details } = state.error;
  return { kind: state.kind, region: state.region, index: state.index, error: { code, message, ...details } };
}

/** The states as rows of a table, an index after the other. */
export function render(states: readonly RegionState[]): string {
  const rows = [["index", "region", "version", "age", "state"], ...states.map(rowOf)];
  const widths = rows.reduce<readonly number[]>(
    (most, row) => row.map((cell, at) => Math.max(cell.length, most[at] ?? 0)),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function rowOf(state: RegionState): readonly string[] {
  if (state.kind === "unknown") return [state.index, state.region, "?", "", state.error.code];
  const { index, region, version, age_ms: age, missing, missing_bytes: bytes } = state;
  const lacks =
    missing === 0 ? "" : `, lacks ${missing} ${missing === 1 ? "blob" : "blobs"} of ${bytes} bytes`;
  return [
    index,
    region,
    version ?? "none",
    age === null ? "" : roughly(age),
    `${standingText(state)}${lacks}`,
  ];
}

function standingText({ standing, behind }: Extract<RegionState, { kind: "known" }>): string {
  if (standing === "same") return "current";
  if (standing === "behind" && behind !== null)
    return `${behind.versions} ${behind.versions === 1 ? "version" : "versions"} and ${roughly(behind.ms)} behind`;
  if (standing === "forked") return "has a version that home never had";
  return standing === "ahead" ? "ahead of home" : "has none";
}

/** A duration in its largest unit, rounded down: 3 days are 3d, and so are 3 days and 4 hours. */
function roughly(milliseconds: number): string {
  const unit = [86_400_000, 3_600_000, 60_000, 1000].find((each) => milliseconds >= each);
  return unit === undefined ? "0s" : writeDuration(Math.floor(milliseconds / unit) * unit);
}
