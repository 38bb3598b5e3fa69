/** The command line: words to a command, errors to exit codes. */
import { asLightedgeError, type LightedgeError } from "../shared/errors.ts";
import { benchCommand } from "./commands/bench.ts";
import { checkCommand } from "./commands/check.ts";
import { type Command, helpOf, type Output, parseArguments } from "./commands/command.ts";
import { demoCommand } from "./commands/demo.ts";
import { deployCommand } from "./commands/deploy.ts";
import { evalCommand } from "./commands/eval.ts";
import { exportCommand } from "./commands/export.ts";
import { gcCommand } from "./commands/gc.ts";
import { indexCommand } from "./commands/index.ts";
import { infoCommand } from "./commands/info.ts";
import { priorCommand } from "./commands/prior.ts";
import { regionsCommand } from "./commands/regions.ts";
import { reindexCommand } from "./commands/reindex.ts";
import { replicateCommand } from "./commands/replicate.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { searchCommand } from "./commands/search.ts";
import { serveCommand } from "./commands/serve.ts";
import { tableCommand } from "./commands/table.ts";
import { versionsCommand } from "./commands/versions.ts";
import { warmCommand } from "./commands/warm.ts";

/** Every verb, in the order of the overview. */
export const COMMANDS: readonly Command[] = [
  indexCommand,
  reindexCommand,
  serveCommand,
  searchCommand,
  evalCommand,
  benchCommand,
  checkCommand,
  infoCommand,
  versionsCommand,
  rollbackCommand,
  regionsCommand,
  replicateCommand,
  deployCommand,
  warmCommand,
  gcCommand,
  exportCommand,
  priorCommand,
  tableCommand,
  demoCommand,
];

/** Runs a command line without the program's name. Resolves to the exit code: 0 done, 1 failed, 2 not understood. */
export async function main(words: readonly string[]): Promise<number> {
  const [verb, ...rest] = words;
  if (verb === undefined || verb === "--help" || verb === "-h" || verb === "help") {
    process.stdout.write(overview());
    return verb === undefined ? 2 : 0;
  }
  const command = COMMANDS.find(({ name }) => name === verb);
  if (command === undefined) {
    process.stderr.write(`There is no command ${JSON.stringify(verb)}.\n\n${overview()}`);
    return 2;
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(helpOf(command));
    return 0;
  }
  const json = rest.includes("--json");
  try {
    return await command.run(parseArguments(command, rest), outputTo(json));
  } catch (error) {
    return fail(asLightedgeError(error), json);
  }
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    "Usage: lightedge COMMAND [options]",
    "",
    "Hybrid semantic search with no model on the query path.",
    "",
    ...lines,
    "",
    'Run "lightedge COMMAND --help" for a command\'s options.',
    "",
  ].join("\n");
}

function outputTo(json: boolean): Output {
  return {
    json,
    result(value, text) {
      process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`);
    },
  };
}

function fail(error: LightedgeError, json: boolean): number {
  const { code, message, details } = error;
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, ...details } })}\n`);
  process.stderr.write(`error: ${message}\n`);
  // A defect of ours is shown whole: without its cause nobody can report it.
  if (code === "internal")
    process.stderr.write(`${error.cause instanceof Error ? error.cause.stack : error.stack}\n`);
  return code === "usage/invalid" || code === "request/invalid" ? 2 : 1;
}
