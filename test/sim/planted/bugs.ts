/**
 * Bugs that somebody could make, as changes of the product's text. Each must be caught by random schedules:
 * a net that lets one of them through has a hole. A change that no longer fits its file fails as well,
 * so that this list keeps up with the product.
 */
import { PLAN_BUGS, SWEEP_BUGS } from "./collector-bugs.ts";
import type { Planted } from "./planted.ts";
import { RUN_BUGS } from "./run-bugs.ts";
import { COMMIT_BUGS, OUTCOME_BUGS, SETTLE_BUGS } from "./writer-bugs.ts";

/** All of them. */
export const PLANTED: readonly Planted[] = [
  ...COMMIT_BUGS,
  ...OUTCOME_BUGS,
  ...SETTLE_BUGS,
  ...PLAN_BUGS,
  ...SWEEP_BUGS,
  ...RUN_BUGS,
];
