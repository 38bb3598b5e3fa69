import type { FieldOptions, SourceDocument } from "./source.ts";
import { checkedDocument, invalid } from "./validate.ts";

const TITLE_NAMES = ["title", "name"];
const TEXT_NAMES = ["text", "body", "content"];

/**
 * A document from a record with named fields. The id comes from the field the options
 * name, else from the first of `idNames` present, and leaves the fields. Title and
 * text come from the named fields, else from the first present of `title`, `name` and
 * of `text`, `body`, `content`, and are renamed. All other fields are kept; one that
 * bore the name already stays as `original_title` or `original_text`. Throws
 * `source/invalid` without a place.
 */
export function documentFromFields(
  entries: Iterable<readonly [string, unknown]>,
  options: FieldOptions,
  idNames: readonly string[] = ["id", "_id"],
): SourceDocument {
  const fields = new Map<string, unknown>();
  for (const [name, value] of entries) {
    if (fields.has(name)) throw invalid(`The field ${name} occurs twice.`, { field: name });
    fields.set(name, value);
  }
  const idName = options.idField ?? idNames.find((name) => fields.has(name)) ?? "id";
  const id = fields.get(idName);
  fields.delete(idName);
  const { textField, titleField } = options;
  if (textField !== undefined && !fields.has(textField)) {
    throw invalid(`There is no field ${textField}, which was named as the text.`, { field: textField });
  }
  rename(fields, textField ?? TEXT_NAMES.find((name) => present(fields, name)), "text");
  rename(fields, titleField ?? TITLE_NAMES.find((name) => present(fields, name)), "title");
  return checkedDocument(id, fields);
}

/**
 * Sets a field under a name that is ours. What stood there is kept as `original_` and
 * the name; throws `source/invalid` if that is taken too.
 */
export function claimField(fields: Map<string, unknown>, name: string, value: unknown): void {
  if (fields.has(name)) {
    const kept = `original_${name}`;
    if (fields.has(kept)) throw invalid(`The fields ${name} and ${kept} are both taken.`, { field: name });
    fields.set(kept, fields.get(name));
  }
  fields.set(name, value);
}

function rename(fields: Map<string, unknown>, from: string | undefined, to: string): void {
  if (from === undefined || from === to || !fields.has(from)) return;
  const value = fields.get(from);
  fields.delete(from);
  claimField(fields, to, value);
}

function present(fields: Map<string, unknown>, name: string): boolean {
  return (fields.get(name) ?? null) !== null;
}
