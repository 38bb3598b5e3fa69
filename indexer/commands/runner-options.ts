/** The options that say what a run does and beside whom: of `lightedge index` and `lightedge reindex`. */
import { parsePart } from "../encode/part.ts";
import type { Arguments, Option } from "./command.ts";
import { parseDuration } from "./duration.ts";
import type { RunnerOptions } from "./runner.ts";

/** By name, as they follow `--`. */
export const RUNNER_OPTIONS = {
  part: {
    type: "string",
    value: "N/OF",
    help: "encode this part of the texts into the store, as 3/8, and publish nothing",
  },
  "dry-run": {
    type: "boolean",
    help: "say what would change, how many bytes and about how long; write nothing",
  },
  "lock-wait": {
    type: "string",
    value: "TIME",
    help: "how long another run's lock is watched for a sign of life before it is taken over",
    default: "60s",
  },
  "no-lock": { type: "boolean", help: "run beside any other; the first to publish wins" },
} as const satisfies Readonly<Record<string, Option>>;

/** What these options mean. Throws `usage/invalid`. */
export function runnerOptionsOf(args: Pick<Arguments, "text" | "flag">): RunnerOptions {
  const part = args.text("part");
  const wait = parseDuration("lock-wait", args.text("lock-wait")!);
  return {
    part: part === undefined ? undefined : parsePart(part),
    dryRun: args.flag("dry-run"),
    lock: args.flag("no-lock") ? null : wait,
  };
}
