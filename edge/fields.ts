/**
 * The fields of a search request, said once. `request.ts` validates from this list and
 * `openapi.ts` describes from it, so that what is documented is what is enforced.
 */
import { REQUEST_LIMITS } from "../shared/limits.ts";
import { FUSION_RULES, MODES } from "../shared/types.ts";

interface Named {
  readonly name: string;
  /** One or two sentences for the API description. */
  readonly description: string;
}

/** Text of at least one character that is not white space. */
export interface TextSpec extends Named {
  readonly kind: "text";
  /** UTF-8 bytes. */
  readonly maxBytes: number;
  readonly required?: true;
}

/** One of a closed list of words. */
export interface ChoiceSpec extends Named {
  readonly kind: "choice";
  readonly values: readonly string[];
  readonly fallback?: string;
}

/** A number between two bounds, both included; `integer` refuses fractions. */
export interface NumberSpec extends Named {
  readonly kind: "integer" | "number";
  readonly min: number;
  readonly max: number;
  readonly fallback?: number;
}

/** True or false. */
export interface FlagSpec extends Named {
  readonly kind: "flag";
  readonly fallback: boolean;
}

/** A list of names: an array in JSON, comma separated in a URL. */
export interface NamesSpec extends Named {
  readonly kind: "names";
  readonly maxItems: number;
  /** UTF-8 bytes of one name. */
  readonly maxBytes: number;
}

/** What is said of one field. */
export type FieldSpec = TextSpec | ChoiceSpec | NumberSpec | FlagSpec | NamesSpec;

/** The fields of one search, in the order they are documented. */
export const SEARCH_FIELDS = [
  {
    kind: "text",
    name: "q",
    maxBytes: REQUEST_LIMITS.queryBytes,
    required: true,
    description: "What to look for, in the searcher's own words.",
  },
  {
    kind: "choice",
    name: "mode",
    values: MODES,
    fallback: "hybrid",
    description:
      "Which side ranks: meaning and words together, meaning alone (dense), or words alone (sparse).",
  },
  {
    kind: "integer",
    name: "limit",
    min: 1,
    max: REQUEST_LIMITS.limit,
    fallback: 10,
    description: "Hits wanted.",
  },
  {
    kind: "integer",
    name: "offset",
    min: 0,
    max: REQUEST_LIMITS.window - 1,
    fallback: 0,
    description: `Hits to leave out first. offset + limit is at most ${REQUEST_LIMITS.window}.`,
  },
  {
    kind: "text",
    name: "task",
    maxBytes: 64,
    description: "The task whose query table is used. The index's first when absent.",
  },
  {
    kind: "choice",
    name: "fusion",
    values: FUSION_RULES,
    description: "How the two rankings become one. The index's own rule when absent.",
  },
  {
    kind: "number",
    name: "weight",
    min: 0,
    max: 1,
    description: "Share of the dense side in the fused score. The index's own when absent.",
  },
  {
    kind: "flag",
    name: "explain",
    fallback: false,
    description: "Whether each hit says what every word of the query gave to its scores.",
  },
  {
    kind: "flag",
    name: "typos",
    fallback: true,
    description:
      "Whether misspelt words are searched for as the words of the index that they were meant to be. The answer lists them in corrections.",
  },
  {
    kind: "flag",
    name: "strict",
    fallback: false,
    description:
      "Whether 503 with index/partial is preferred to an answer without the documents of shards that no region could ask.",
  },
  {
    kind: "names",
    name: "fields",
    maxItems: REQUEST_LIMITS.fields,
    maxBytes: 256,
    description:
      "Names of the document fields wanted in hits, all when absent. A name that a document lacks simply does not appear.",
  },
] as const satisfies readonly FieldSpec[];

/** How new an answer has to be: fields of every request that reads an index. */
export const FRESHNESS_FIELDS = [
  {
    kind: "text",
    name: "min_version",
    maxBytes: 32,
    description:
      "The least version that may answer: as answers name it, such as 7-1a2b3c4d, or its number. 503 with index/behind where the index is older.",
  },
  {
    kind: "text",
    name: "min_write",
    maxBytes: 32,
    description:
      "A write, as the answer to it names it, that the answer must know of. 503 with index/behind where it does not.",
  },
] as const satisfies readonly FieldSpec[];

/** The fields of a look at all regions. */
export const REGIONS_FIELDS = [
  {
    kind: "text",
    name: "index",
    maxBytes: 63,
    description: "The index to tell of; all that the deployment lists and has loaded when absent.",
  },
] as const satisfies readonly FieldSpec[];

/** All fields of a search over HTTP. */
export const READ_FIELDS = [...SEARCH_FIELDS, ...FRESHNESS_FIELDS] as const;

type ValueOf<S extends FieldSpec> = S extends { readonly kind: "text" }
  ? string
  : S extends { readonly kind: "choice"; readonly values: readonly (infer V)[] }
    ? V
    : S extends NumberSpec
      ? number
      : S extends FlagSpec
        ? boolean
        : readonly string[];

type IsAlwaysThere<S> = S extends { readonly required: true } | { readonly fallback: unknown } ? true : false;

/**
 * The checked values of a list of fields by name; those with neither `required` nor `fallback` may
 * be undefined.
 */
export type FieldValues<L extends readonly FieldSpec[]> = {
  readonly [S in L[number] as S["name"]]: IsAlwaysThere<S> extends true ? ValueOf<S> : ValueOf<S> | undefined;
};
