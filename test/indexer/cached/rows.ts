/** Runs that make rows, and what they leave behind. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { makeRows, type RowCounts } from "../../../indexer/cached/make-rows.ts";
import { rowFolder } from "../../../indexer/cached/row-folder.ts";
import type { RowGraph } from "../../../indexer/cached/row-graph.ts";
import type { RowPlan } from "../../../indexer/cached/row-plan.ts";
import type { Part } from "../../../indexer/encode/part.ts";
import { type Progress, SILENT } from "../../../indexer/progress.ts";
import type { WriteStore } from "../../../shared/store/store.ts";
import { madeUpGraph } from "./made-up-model.ts";

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder, which is gone after the tests. */
export function newFolder(): string {
  made.push(mkdtempSync(join(tmpdir(), "lightedge-rows-")));
  return made.at(-1)!;
}

/** What one run needs beside the plan. */
export interface Run {
  readonly cache?: string;
  readonly part?: Part | null;
  readonly store?: WriteStore;
  readonly share?: boolean;
  readonly graph?: RowGraph;
  readonly progress?: Progress;
}

/** Makes rows; what was run, and what is in the folder afterwards. */
export async function run(plan: RowPlan, { cache = newFolder(), part = null, ...more }: Run = {}) {
  const passes: (readonly number[])[] = [];
  const graph = more.graph ?? madeUpGraph((ids) => passes.push(ids));
  let opened = 0;
  const ports = {
    cache,
    store: more.store,
    share: more.share ?? true,
    open: async () => {
      opened++;
      return graph;
    },
  };
  const counts: RowCounts = await makeRows(plan, part, ports, more.progress ?? SILENT);
  return { counts, passes, opened, cache, files: filesIn(rowFolder(cache, plan)) };
}

/** Digests of the files of a folder by name. */
export function filesIn(folder: string): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [
        name,
        createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex"),
      ]),
  );
}
