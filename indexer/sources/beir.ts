import { join } from "node:path";
import { jsonRecords } from "./jsonl.ts";
import { documentFromFields } from "./named-fields.ts";
import type { FieldOptions, Source, SourceDocument } from "./source.ts";
import { invalid } from "./validate.ts";

/** The file of a BEIR folder that holds its documents. */
export const BEIR_CORPUS = "corpus.jsonl";

/**
 * The documents of a collection in BEIR layout, given as its folder or as the corpus
 * file itself: `_id`, `title`, `text`, and the members of `metadata` as fields of
 * their own. Queries and judgements are not documents and are not read here. Two documents
 * with one id both pass; `openSource` sees to that.
 */
export function beirSource(path: string, options: FieldOptions = {}): Source {
  const file = path.endsWith(".jsonl") ? path : join(path, BEIR_CORPUS);
  return {
    description: `beir ${path}`,
    records: () => jsonRecords(file, (entries) => fromBeir(entries, options)),
  };
}

function fromBeir(entries: readonly [string, unknown][], options: FieldOptions): SourceDocument {
  return documentFromFields(entries.flatMap(withMetadata), options, ["_id", "id"]);
}

/** A member of `metadata` with the name of another field is rejected further on, as a field that occurs twice. */
function withMetadata([name, value]: readonly [string, unknown]): [string, unknown][] {
  if (name !== "metadata" || value === null) return name === "metadata" ? [] : [[name, value]];
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalid("The field metadata must be an object.", { field: "metadata" });
  }
  return Object.entries(value);
}
