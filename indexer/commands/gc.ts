import { randomBytes } from "node:crypto";
import { checkIndexName } from "../../shared/store/keys.ts";
import { forget } from "../../shared/versions/registry.ts";
import { GRACE_MS, KEEP } from "../../shared/versions/times.ts";
import { collectGarbage, GC_PORTS, type GcReport } from "../store/gc.ts";
import { probeStore } from "../store/probe.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { parseDuration, writeDuration } from "./duration.ts";
import { STORE_OPTION, storeOf } from "./options.ts";

/** `lightedge gc`: what no version needs, deleted. */
export const gcCommand: Command = {
  name: "gc",
  summary: "Delete what no version needs any more",
  positionals: { usage: "", least: 0, most: 0 },
  options: {
    index: {
      type: "string",
      value: "NAME",
      help: "let go of old versions of this index only (default: of all)",
    },
    store: STORE_OPTION,
    grace: {
      type: "string",
      value: "TIME",
      help: `how long a version stands after it was replaced, such as 24h; at least ${writeDuration(GRACE_MS.least)}`,
      default: writeDuration(GRACE_MS.standard),
    },
    keep: {
      type: "number",
      integer: true,
      least: 1,
      most: 1_000_000,
      help: "newest versions of each index that stand whatever their age",
      default: KEEP,
    },
    forget: {
      type: "string",
      value: "NAME",
      help: "first let go of the name of an index that has no version and no run under way",
    },
    "dry-run": { type: "boolean", help: "say what would be deleted" },
    json: JSON_OPTION,
  },
  notes: "It may run beside anything, be killed anywhere, and run again.",
  async run(args, output) {
    const index = args.text("index");
    if (index !== undefined) checkIndexName(index);
    const options = {
      graceMs: parseDuration("grace", args.text("grace")!),
      keep: args.number("keep")!,
      dryRun: args.flag("dry-run"),
      ...(index === undefined ? {} : { index }),
    };
    const store = storeOf(args);
    const forgotten = args.text("forget");
    if (!options.dryRun) await probeStore(store, randomBytes);
    if (forgotten !== undefined && !options.dryRun) await forget(store, forgotten, GC_PORTS);
    const report = await collectGarbage(store, options);
    output.result(report, () => render(report));
    return 0;
  },
};

function render({ dryRun, deleted, bytes, kept }: GcReport): string {
  const lines = deleted.map(({ key, bytes: size }) => `${key}  ${size} bytes`);
  const versions = new Map<string, string[]>();
  for (const { index, version } of kept) versions.set(index, [...(versions.get(index) ?? []), version]);
  for (const [index, names] of versions) lines.push(`${index} keeps ${names.join(", ")}.`);
  const done = dryRun ? "would be deleted" : "deleted";
  const noun = deleted.length === 1 ? "object" : "objects";
  lines.push(`${deleted.length} ${noun} ${done}, ${bytes} bytes.`);
  return lines.join("\n");
}
