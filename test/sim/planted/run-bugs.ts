/** Bugs of runs over real documents: of taking in writes at the edge, and of adding to a version. Slow to find. */
import type { Planted } from "./planted.ts";

/** In what a run makes of the source and the inbox. */
export const RUN_BUGS: readonly Planted[] = [
  {
    name: "the first write of a document counts",
    scene: "builds",
    file: "shared/inbox/fold.ts",
    changes: [["before.write < entry.write", "before.write > entry.write"]],
    within: 100,
  },
  {
    name: "what was written at the edge stands for one version only",
    scene: "builds",
    file: "shared/inbox/fold.ts",
    changes: [['else if (stands === "put" && !puts.has(id)) kept.add(id);', ""]],
    within: 100,
  },
  {
    name: "documents that are gone are not marked as dead",
    scene: "builds",
    file: "indexer/incremental/make-some.ts",
    changes: [["if (parts.some(({ dead }) => dead.length > 0)) {", "if (parts.length < 0) {"]],
    within: 100,
  },
];
