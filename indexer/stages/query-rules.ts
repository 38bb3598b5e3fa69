/**
 * What follows for an index from where its query tables come from. A fitted table stands in for a frozen encoder: documents
 * are drawn towards it, and the sparse side is BM25 with some learned expansion. A cached one belongs to a model that was
 * trained with it (LightRetriever, arXiv 2505.12260): documents are what the model gives, on both sides.
 */
import {
  type CollectionStatistics,
  LEARNED_SPARSE_OPTIONS,
  type SparseOptions,
  sparseOptionsOf,
} from "../../shared/segment/impacts.ts";
import type { Model } from "../model/model.ts";
import { MIX } from "./mix.ts";

/** The rules of a model's indexes. */
export interface QueryRules {
  /** Share of the table's own vector in a document's: `mixVectors`. */
  readonly mix: number;
  /** How impacts are made, in an index with clusters or without. */
  sparse(hasClusters: boolean): SparseOptions;
  /** Sparse weight of each token id in a query. */
  weights(statistics: CollectionStatistics): Float64Array;
  /** Dense share of hybrid search where too few questions can be cut to choose it. */
  readonly weight: number;
}

/** Decision 0009: the best of the two collections it was tuned on. */
export const FITTED_WEIGHT = 0.6;
/** The reference's: 0.7 of the dense side, 0.3 of the sparse one. */
export const CACHED_WEIGHT = 0.7;

/** The rules for a model. */
export function rulesOf({ queryTable, description }: Pick<Model, "queryTable" | "description">): QueryRules {
  const fitted: QueryRules = {
    mix: MIX,
    sparse: sparseOptionsOf,
    weights: ({ idf }) => idf,
    weight: FITTED_WEIGHT,
  };
  if (queryTable === "fitted") return fitted;
  const asTrained = { ...fitted, mix: 0, weight: CACHED_WEIGHT };
  // Without a sparse output there is nothing learned to count on: BM25 as everywhere.
  if (description.sparse === null) return asTrained;
  return {
    ...asTrained,
    sparse: () => LEARNED_SPARSE_OPTIONS,
    weights: ({ idf }) => new Float64Array(idf.length).fill(1),
  };
}
