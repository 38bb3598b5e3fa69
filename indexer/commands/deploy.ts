import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildEdge } from "../build-edge.ts";
import { commandsOf, GENERATED, planDeploy } from "../deploy/plan.ts";
import { type DeployPorts, runPlan } from "../deploy/run-plan.ts";
import { runWrangler } from "../deploy/wrangler.ts";
import { openRegions } from "../regions/stores.ts";
import { openStore } from "../store/open.ts";
import { type Command, JSON_OPTION, type Output, parseArguments } from "./command.ts";
import { configOf, reindexCommand } from "./reindex.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** `lightedge deploy`: buckets, Worker, secrets and first versions of a config. */
export const deployCommand: Command = {
  name: "deploy",
  summary:
    "Deploy a config file: make its buckets, upload the Worker, set its secrets, publish to every region",
  positionals: { usage: "[CONFIG]", least: 0, most: 1 },
  options: {
    "dry-run": { type: "boolean", help: "print every command that would be run; write nothing" },
    "no-publish": { type: "boolean", help: "leave the indexes as they are" },
    json: JSON_OPTION,
  },
  notes: [
    `Needs CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID, or "npx wrangler login", and R2_ACCESS_KEY_ID with`,
    "R2_SECRET_ACCESS_KEY to publish. ADMIN_KEY and ALARM_SECRET become secrets where the environment has them.",
    `Settings of the Worker are taken from wrangler.toml; what is uploaded is ${GENERATED}.`,
    "Safe to repeat: what is done is found done. Exit codes: 0 done, 1 a step failed, 2 not understood.",
  ].join("\n"),
  async run(args, output) {
    const config = await configOf(args);
    const base = await readFile(join(ROOT, "wrangler.toml"), "utf8");
    const publish = !args.flag("no-publish");
    const steps = planDeploy({ config, base, environment: process.env, publish });
    if (args.flag("dry-run")) {
      const generated = steps.find((step) => step.kind === "write")?.text ?? "";
      const commands = steps.flatMap(commandsOf);
      output.result({ config: config.file, dry_run: true, commands, generated }, () =>
        [...commands, "", `# ${GENERATED}`, generated].join("\n"),
      );
      return 0;
    }
    // Before anything is made: a store that cannot be opened would stop the last step.
    if (publish) openStores(config);
    const say = (line: string) => process.stderr.write(`${line}\n`);
    const ports: DeployPorts = {
      wrangler: runWrangler(ROOT, (text) => process.stderr.write(text)),
      write: (file, text) => writeFile(join(ROOT, file), text),
      build: buildEdge,
      publish: () => reindexCommand.run(parseArguments(reindexCommand, [config.file]), quiet(say)),
      secret: (name) => process.env[name] ?? "",
      say,
    };
    const done = await runPlan(steps, ports);
    output.result({ config: config.file, dry_run: false, done }, () =>
      [...done, "Have it ready before the first query: lightedge warm."].join("\n"),
    );
    return 0;
  },
};

function openStores(config: Parameters<typeof openRegions>[0] & { readonly store: string }): void {
  openStore(config.store);
  openRegions(config, process.env);
}

/** Results of the run inside go where progress goes: the deployment has one result of its own. */
function quiet(say: (line: string) => void): Output {
  return { json: false, result: (_, text) => say(text()) };
}
