/** The options that say how a run treats the version before it: of `lightedge index` and `lightedge reindex`. */
import type { BuildOptions } from "../build.ts";
import { SHRINK_SHARE } from "../incremental/guards.ts";
import { REFIT_DRIFT } from "../incremental/plan.ts";
import type { Arguments, Option } from "./command.ts";

/** By name, as they follow `--`. */
export const RUN_OPTIONS = {
  rebuild: {
    type: "string",
    choices: ["documents", "all"],
    help: "make all documents anew, or the query table as well (default: what changed)",
  },
  "refit-drift": {
    type: "number",
    least: 0,
    help: "share of documents changed since the table was fitted from which it is fitted again",
    default: REFIT_DRIFT,
  },
  "allow-shrink": {
    type: "boolean",
    help: `remove documents even if they are more than ${SHRINK_SHARE * 100} % of the index`,
  },
  "take-over": { type: "boolean", help: "publish an index that another configuration keeps" },
} as const satisfies Readonly<Record<string, Option>>;

/** What these options mean to a build. */
export function runChoicesOf(
  args: Pick<Arguments, "text" | "number" | "flag">,
): Pick<BuildOptions, "rebuild" | "refitDrift" | "allowShrink" | "takeOver"> {
  const rebuild = args.text("rebuild");
  return {
    rebuild: rebuild === "documents" || rebuild === "all" ? rebuild : undefined,
    refitDrift: args.number("refit-drift"),
    allowShrink: args.flag("allow-shrink"),
    takeOver: args.flag("take-over"),
  };
}
