/** Source to collection: every document read once, set aside, and put in the order of ids. */
import { compareIds } from "../../shared/format/ids.ts";
import type { FieldKind } from "../../shared/format/manifest.ts";
import { contentDigest } from "../../shared/segment/document.ts";
import type { Fields, FieldValue } from "../../shared/types.ts";
import type { Progress } from "../progress.ts";
import type { Source, SourceDocument } from "../sources/source.ts";
import { Spool, type SpoolPlace } from "./spool.ts";

/** A collection on disk. */
export interface Collection {
  /** Ids in ascending order by code point: the order of documents in the index. */
  readonly ids: readonly string[];
  /** What each of them says: `contentDigest`. */
  readonly digests: readonly string[];
  /** Records that the source refused. */
  readonly rejected: number;
  /** Every field that occurs, by name in code-unit order. */
  readonly fields: readonly { readonly name: string; readonly kind: FieldKind }[];
  /** The document with this number in `ids`. */
  read(number: number): Promise<SourceDocument>;
  /** Removes what was set aside. */
  close(): Promise<void>;
}

/** Reads a source to its end. Rejected records are reported by the source's own wrapper; here they are counted. */
export async function collect(source: Source, progress: Progress): Promise<Collection> {
  const spool = await Spool.create();
  try {
    const stage = progress.stage("read documents", 0);
    const entries: { id: string; digest: string; place: SpoolPlace }[] = [];
    const kinds = new Map<string, FieldKind>();
    let rejected = 0;
    for await (const record of source.records()) {
      if (record.kind === "rejected") {
        rejected++;
        continue;
      }
      const { document } = record;
      const digest = await contentDigest(document);
      entries.push({ id: document.id, digest, place: await spool.add(document) });
      for (const [name, value] of Object.entries(document.fields)) noteKind(kinds, name, value);
      stage.advance(1);
    }
    entries.sort((a, b) => compareIds(a.id, b.id));
    stage.done(`${entries.length} documents${rejected > 0 ? `, ${rejected} rejected` : ""}`);
    return {
      ids: entries.map(({ id }) => id),
      digests: entries.map(({ digest }) => digest),
      rejected,
      fields: withKinds(
        [...kinds].map(([name, kind]) => ({ name, kind })),
        [],
      ),
      read: (number) => spool.read(entries[number]!.place),
      close: () => spool.close(),
    };
  } catch (error) {
    await spool.close();
    throw error;
  }
}

/** Some of a collection's documents, by ascending number. Closing is the collection's own. */
export function someOf(collection: Collection, numbers: readonly number[]): Collection {
  return {
    ...collection,
    ids: numbers.map((number) => collection.ids[number]!),
    digests: numbers.map((number) => collection.digests[number]!),
    read: (at) => collection.read(numbers[at]!),
    close: async () => {},
  };
}

/** Described fields with those of more documents, by name in code-unit order; a field of two kinds is `mixed`. */
export function withKinds(described: Collection["fields"], more: readonly Fields[]): Collection["fields"] {
  const kinds = new Map<string, FieldKind>();
  for (const { name, kind } of described) addKind(kinds, name, kind);
  for (const fields of more) for (const [name, value] of Object.entries(fields)) noteKind(kinds, name, value);
  return [...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, kind]) => ({ name, kind }));
}

function noteKind(kinds: Map<string, FieldKind>, name: string, value: FieldValue): void {
  const kind = kindOf(value);
  if (kind !== null) addKind(kinds, name, kind);
}

function addKind(kinds: Map<string, FieldKind>, name: string, kind: FieldKind): void {
  const known = kinds.get(name);
  kinds.set(name, known === undefined || known === kind ? kind : "mixed");
}

function kindOf(value: FieldValue): FieldKind | null {
  if (value === null) return null;
  if (Array.isArray(value)) return "list";
  if (typeof value === "string") return "text";
  return typeof value === "number" ? "number" : "boolean";
}
