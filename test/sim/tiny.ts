/** Real indexes of a few documents, made and opened without a test runner around them. */
import { BUILD_DEFAULTS, type BuildOptions, type BuildReport, buildIndex } from "../../indexer/build.ts";
import { SILENT } from "../../indexer/progress.ts";
import type { SourceDocument } from "../../indexer/sources/source.ts";
import type { OpenIndex } from "../../shared/engine/api.ts";
import { openIndex } from "../../shared/engine/open.ts";
import { createReferenceKernels } from "../../shared/kernels/reference.ts";
import type { ReadStore, WriteStore } from "../../shared/store/store.ts";
import { sourceOf } from "../helpers/tiny-corpus.ts";
import { tinyEncoder } from "../helpers/tiny-encoder.ts";

/** The name of the index. */
export const TINY = "tiny";

/** Brings the tiny index of a store up to date with these documents. */
export function indexTiny(
  store: WriteStore,
  documents: readonly SourceDocument[],
  options: Partial<BuildOptions> = {},
): Promise<BuildReport> {
  return buildIndex(
    {
      index: TINY,
      source: sourceOf(documents),
      encoder: tinyEncoder(),
      store,
      tasks: [],
      ...BUILD_DEFAULTS,
      weight: 0.5,
      now: () => new Date("2026-01-31T12:00:00Z"),
      ...options,
    },
    SILENT,
  );
}

/** Opens the tiny index of a store, with the kernels that define what the fast ones do. */
export function openTiny(store: ReadStore): Promise<OpenIndex> {
  return openIndex({ store, kernels: createReferenceKernels, now: () => 0, region: "test" }, TINY);
}
