/** The manifest: one version of an index, every blob by digest. docs/format.md section 11. */

import { LightedgeError, printable } from "../errors.ts";
import { canonicalJson, type Sha256 } from "../hash.ts";
import { FORMAT_LIMITS, MEMORY_LIMITS, REQUEST_LIMITS } from "../limits.ts";
import { FUSION_RULES, type FusionRule } from "../types.ts";
import { invalid } from "./bytes.ts";
import type { HeadDigest } from "./envelope.ts";
import { FORMAT_VERSION } from "./head.ts";
import { blobKey, isIndexName } from "./names.ts";
import {
  type Check,
  digest,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  plainObject,
  text,
} from "./shape.ts";

/** What the manifest says of any blob. */
export interface BlobFacts {
  /** `blobKey(sha256)`. */
  readonly key: string;
  readonly sha256: Sha256;
  readonly bytes: number;
  readonly head: HeadDigest;
}

/** The tokenizer, one for the whole index. */
export interface TokenizerBlob extends BlobFacts {
  readonly role: "tokenizer";
}

/** A task's query table. */
export interface TableBlob extends BlobFacts {
  readonly role: "table";
  readonly task: string;
}

/** The words of the corpus, for telling misspelt words of a query. Absent where no query is corrected. */
export interface LexiconBlob extends BlobFacts {
  readonly role: "lexicon";
}

/** The clusters that shards keep their codes in. Absent where every query looks at all chunks. */
export interface ClustersBlob extends BlobFacts {
  readonly role: "clusters";
}

/** Shard `ordinal`, counted from 0. */
export interface ShardBlob extends BlobFacts {
  readonly role: "shard";
  readonly ordinal: number;
}

/** The documents of the shard with the same ordinal. */
export interface DocumentsBlob extends BlobFacts {
  readonly role: "documents";
  readonly ordinal: number;
}

/** Which documents of the shards are dead. Absent where all live. */
export interface TombstonesBlob extends BlobFacts {
  readonly role: "tombstones";
}

/** Writes of the inbox that this version has taken in. Absent where there were none. */
export interface OverlayBlob extends BlobFacts {
  readonly role: "overlay";
}

/** A blob of an index by what it is for; the role is also the kind of the file. */
export type BlobEntry =
  | TokenizerBlob
  | TableBlob
  | LexiconBlob
  | ClustersBlob
  | ShardBlob
  | DocumentsBlob
  | TombstonesBlob
  | OverlayBlob;

/** What a later run needs to know to add to a version instead of making it anew. */
export interface ManifestBuild {
  /** Digest of all that documents are turned into numbers with, their own content aside. */
  readonly recipe: Sha256;
  /** Tokens of a document on average, and what impacts were multiplied by, when the table was fitted. */
  readonly mean_length: number;
  readonly impact_scale: number;
  /** Documents that the table was fitted to. */
  readonly fitted: number;
  /** Documents added, changed and removed since, each counted every time. */
  readonly changed: number;
  /** Name of the configuration that publishes this index; absent where people do. */
  readonly origin?: string;
}

/** What values a field has: `list` of scalars, `mixed` for more than one kind. Null counts for none. */
export type FieldKind = "text" | "number" | "boolean" | "list" | "mixed";

/** A task that queries can name. */
export interface ManifestTask {
  readonly name: string;
  readonly query_prompt: string;
  /** Digest of its table. */
  readonly table: Sha256;
}

/** One version of an index. */
export interface Manifest {
  readonly format: typeof FORMAT_VERSION;
  readonly index: string;
  /** UTC, as `2026-01-31T12:00:00.000Z`. */
  readonly created: string;
  /** Digest of the manifest this one was made from. */
  readonly parent: Sha256 | null;
  readonly model: {
    readonly name: string;
    /** Digest of the document encoder's files. */
    readonly encoder: Sha256;
    readonly dimension: number;
    readonly vocabulary: number;
    /** Tokens of a chunk, special ones included. */
    readonly max_tokens: number;
    /** Tokens of a query that count; `REQUEST_LIMITS.queryTokens` when absent. */
    readonly max_query_tokens?: number;
  };
  /** `bindingHash` of the parts: `binding.ts`. */
  readonly binding: Sha256;
  /** The default first. */
  readonly tasks: readonly ManifestTask[];
  /** How hybrid scores are made; `weight` is the dense side's share, 0 to 1. */
  readonly fusion: { readonly rule: FusionRule; readonly weight: number };
  readonly counts: {
    readonly documents: number;
    readonly chunks: number;
    /** Documents the source held that could not be indexed. */
    readonly rejected: number;
  };
  readonly fields: readonly { readonly name: string; readonly kind: FieldKind }[];
  /** Absent in versions that cannot be added to. */
  readonly build?: ManifestBuild;
  /** The tokenizer, the tables in the order of the tasks, lexicon and clusters if there are any, shards and documents by ordinal, tombstones and overlay if there are any. */
  readonly blobs: readonly BlobEntry[];
}

const count = integer(0, Number.MAX_SAFE_INTEGER);
const facts = {
  key: text(512, 1),
  sha256: digest,
  bytes: integer(1, Number.MAX_SAFE_INTEGER),
  head: object<HeadDigest>({ bytes: integer(64, 0xffffffff), sha256: digest }),
};
const ordinal = integer(0, 65_535);
const entryChecks: Readonly<Record<BlobEntry["role"], Check<BlobEntry>>> = {
  tokenizer: object<TokenizerBlob>({ ...facts, role: oneOf(["tokenizer"]) }),
  table: object<TableBlob>({ ...facts, role: oneOf(["table"]), task: text(64, 1) }),
  lexicon: object<LexiconBlob>({ ...facts, role: oneOf(["lexicon"]) }),
  clusters: object<ClustersBlob>({ ...facts, role: oneOf(["clusters"]) }),
  shard: object<ShardBlob>({ ...facts, role: oneOf(["shard"]), ordinal }),
  documents: object<DocumentsBlob>({ ...facts, role: oneOf(["documents"]), ordinal }),
  tombstones: object<TombstonesBlob>({ ...facts, role: oneOf(["tombstones"]) }),
  overlay: object<OverlayBlob>({ ...facts, role: oneOf(["overlay"]) }),
};
/** The roles in the order of a manifest's blobs. */
export const BLOB_ROLES = [
  "tokenizer",
  "table",
  "lexicon",
  "clusters",
  "shard",
  "documents",
  "tombstones",
  "overlay",
] as const satisfies readonly BlobEntry["role"][];
const checkRole = oneOf(BLOB_ROLES);
const checkBlob: Check<BlobEntry> = (value, where) => {
  const role = checkRole(plainObject(value, where).role, `${where}.role`);
  const entry = entryChecks[role](value, where);
  // A blob is found by its digest alone, so a manifest cannot point into another tenant's keys.
  if (entry.key !== blobKey(entry.sha256)) throw invalid(`${where}.key must be ${blobKey(entry.sha256)}.`);
  if (entry.head.bytes > entry.bytes) throw invalid(`${where}.head is longer than its blob.`);
  return entry;
};
const checkManifest = object<Manifest>(
  {
    format: oneOf([FORMAT_VERSION]),
    index: matching(isIndexName, "the name of an index"),
    created: matching(isTime, "a UTC time such as 2026-01-31T12:00:00.000Z"),
    parent: nullable(digest),
    model: object<Manifest["model"]>(
      {
        name: text(256, 1),
        encoder: digest,
        dimension: integer(1, FORMAT_LIMITS.dimension),
        vocabulary: integer(1, FORMAT_LIMITS.vocabulary),
        max_tokens: integer(1, 0xffffffff),
        max_query_tokens: integer(1, REQUEST_LIMITS.queryTokens),
      },
      ["max_query_tokens"],
    ),
    binding: digest,
    tasks: list(object<ManifestTask>({ name: text(64, 1), query_prompt: text(2048), table: digest }), 64, 1),
    fusion: object<Manifest["fusion"]>({ rule: oneOf(FUSION_RULES), weight: number(0, 1) }),
    counts: object<Manifest["counts"]>({ documents: count, chunks: count, rejected: count }),
    fields: list(
      object<Manifest["fields"][number]>({
        name: text(256),
        kind: oneOf(["text", "number", "boolean", "list", "mixed"]),
      }),
      4096,
    ),
    build: object<ManifestBuild>(
      {
        recipe: digest,
        mean_length: number(Number.MIN_VALUE, Number.MAX_VALUE),
        impact_scale: number(2 ** -20, 2 ** 20),
        fitted: count,
        changed: count,
        origin: text(128, 1),
      },
      ["origin"],
    ),
    blobs: list(checkBlob, 65_536, 2),
  },
  ["build"],
);

/**
 * A manifest from its bytes, every field checked. Throws `format/unsupported` for a newer
 * format or an unknown field and `format/invalid` for every other breach, the size cap of
 * 4 MiB and a spelling other than `serializeManifest`'s among them.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > FORMAT_LIMITS.manifestBytes) {
    throw invalid(`A manifest of ${bytes.length} bytes is above ${FORMAT_LIMITS.manifestBytes}.`);
  }
  const value = parseJson(bytes);
  checkFormat(plainObject(value, "manifest").format);
  const manifest = checkManifest(value, "manifest");
  checkBlobs(manifest);
  // One spelling: no repeated keys, no byte that means nothing.
  if (!equalBytes(serializeManifest(manifest), bytes))
    throw invalid("The manifest is not in canonical JSON.");
  return manifest;
}

/** A manifest as canonical JSON in UTF-8. Does not check it: publishers parse what they are about to write. */
export function serializeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(canonicalJson(manifest));
}

/**
 * Bytes of memory that serving a version takes, about: blobs of these roles are laid out as memory is. Document
 * blocks, which are read when they are wanted, are not among them.
 */
export function residentBytesOf({ blobs }: Pick<Manifest, "blobs">): number {
  const roles: readonly BlobEntry["role"][] = [
    "table",
    "lexicon",
    "clusters",
    "shard",
    "tombstones",
    "overlay",
  ];
  const kept = ({ role, bytes }: BlobEntry) =>
    role === "table" ? Math.min(bytes, MEMORY_LIMITS.tableBytes) : roles.includes(role) ? bytes : 0;
  return blobs.reduce((sum, blob) => sum + kept(blob), 0);
}

/** The entries with a role, in the manifest's order. */
export function blobsOf<R extends BlobEntry["role"]>(
  manifest: Pick<Manifest, "blobs">,
  role: R,
): readonly Extract<BlobEntry, { readonly role: R }>[] {
  return manifest.blobs.filter(
    (blob): blob is Extract<BlobEntry, { readonly role: R }> => blob.role === role,
  );
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw invalid("The manifest is not JSON in UTF-8.", error);
  }
}

function checkFormat(format: unknown): void {
  if (typeof format === "number" && Number.isSafeInteger(format) && format > FORMAT_VERSION) {
    throw new LightedgeError(
      "format/unsupported",
      `The manifest has format version ${format}; this Lightedge reads version ${FORMAT_VERSION}. Upgrade it where it reads, or build the index again with this version.`,
      { value: printable(format), limit: FORMAT_VERSION },
    );
  }
}

/** The rules between entries: one tokenizer, one table per task, shards and documents in pairs, at most one of each other. */
function checkBlobs({ tasks, blobs }: Manifest): void {
  const names = tasks.map((task) => task.name);
  if (new Set(names).size !== names.length) throw invalid("Two tasks of the manifest have the same name.");
  const single = (role: BlobEntry["role"]) => (blobs.some((blob) => blob.role === role) ? [role] : []);
  const first = [...single("lexicon"), ...single("clusters")];
  const last = [...single("tombstones"), ...single("overlay")];
  const parts = (blobs.length - 1 - tasks.length - first.length - last.length) / 2;
  if (!Number.isInteger(parts) || parts < 0)
    throw invalid("The manifest's shards and documents do not pair up.");
  const wanted = [
    "tokenizer",
    ...tasks.map((task) => `table ${task.name} ${task.table}`),
    ...first,
    ...Array.from({ length: parts }, (_, at) => `shard ${at}`),
    ...Array.from({ length: parts }, (_, at) => `documents ${at}`),
    ...last,
  ];
  blobs.forEach((blob, at) => {
    if (describe(blob) !== wanted[at]) {
      throw invalid(`manifest.blobs[${at}] is ${describe(blob)}, where ${wanted[at]} is needed.`);
    }
  });
}

function describe(blob: BlobEntry): string {
  switch (blob.role) {
    case "tokenizer":
    case "lexicon":
    case "clusters":
    case "tombstones":
    case "overlay":
      return blob.role;
    case "table":
      return `table ${blob.task} ${blob.sha256}`;
    case "shard":
    case "documents":
      return `${blob.role} ${blob.ordinal}`;
  }
}

function matching(test: (text: string) => boolean, wanted: string): Check<string> {
  const isText = text(64);
  return (value, where) => {
    const found = isText(value, where);
    if (!test(found)) throw invalid(`${where} must be ${wanted}, not ${printable(found)}.`);
    return found;
  };
}

function isTime(text: string): boolean {
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
