/** Source to collection: every document read once, set aside, and put in the order of ids. */
import { compareIds } from "../../shared/format/ids.ts";
import type { FieldKind } from "../../shared/format/manifest.ts";
import type { FieldValue } from "../../shared/types.ts";
import type { Progress } from "../progress.ts";
import type { Source, SourceDocument } from "../sources/source.ts";
import { Spool, type SpoolPlace } from "./spool.ts";

/** A collection on disk. */
export interface Collection {
  /** Ids in ascending order by code point: the order of documents in the index. */
  readonly ids: readonly string[];
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
    const entries: { id: string; place: SpoolPlace }[] = [];
    const kinds = new Map<string, FieldKind>();
    let rejected = 0;
    for await (const record of source.records()) {
      if (record.kind === "rejected") {
        rejected++;
        continue;
      }
      entries.push({ id: record.document.id, place: await spool.add(record.document) });
      for (const [name, value] of Object.entries(record.document.fields)) noteKind(kinds, name, value);
      stage.advance(1);
    }
    entries.sort((a, b) => compareIds(a.id, b.id));
    stage.done(`${entries.length} documents${rejected > 0 ? `, ${rejected} rejected` : ""}`);
    return {
      ids: entries.map(({ id }) => id),
      rejected,
      fields: [...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, kind]) => ({ name, kind })),
      read: (number) => spool.read(entries[number]!.place),
      close: () => spool.close(),
    };
  } catch (error) {
    await spool.close();
    throw error;
  }
}

function noteKind(kinds: Map<string, FieldKind>, name: string, value: FieldValue): void {
  const kind = kindOf(value);
  if (kind === null) return;
  const known = kinds.get(name);
  kinds.set(name, known === undefined || known === kind ? kind : "mixed");
}

function kindOf(value: FieldValue): FieldKind | null {
  if (value === null) return null;
  if (Array.isArray(value)) return "list";
  if (typeof value === "string") return "text";
  return typeof value === "number" ? "number" : "boolean";
}
