import { decodeUtf8, rawRecords, tooLong } from "./lines.ts";
import { documentFromFields } from "./named-fields.ts";
import type { FieldOptions, Source, SourceDocument, SourceRecord } from "./source.ts";
import { checkedDocument, invalid, rejected } from "./validate.ts";

/** A document from the fields of one JSON object; throws `source/invalid` without a place. */
export type FromFields = (entries: [string, unknown][]) => SourceDocument;

/**
 * One JSON object per line: `id` or `_id`; `title` or `name`; `text`, `body` or
 * `content`. Strict where lenience would lose data: bytes that are not UTF-8, numbers
 * beyond doubles, objects inside fields and lines cut off are rejected. Blank lines
 * and CRLF are fine. A line of `id` and an object `fields` alone is that document, nothing
 * renamed: `lightedge export` writes it where a field has one of the names above.
 */
export function jsonlSource(file: string, options: FieldOptions = {}): Source {
  return {
    description: `jsonl ${file}`,
    records: () =>
      jsonRecords(file, (entries) => exactDocument(entries) ?? documentFromFields(entries, options)),
  };
}

/** The records of a file with one JSON object per line. */
export async function* jsonRecords(file: string, fromFields: FromFields): AsyncIterable<SourceRecord> {
  for await (const { line, bytes, ended } of rawRecords(file)) {
    const place = { file, line };
    try {
      if (bytes === undefined) throw tooLong();
      const text = decodeUtf8(bytes);
      if (isBlank(text)) continue;
      yield { kind: "document", document: fromFields(entriesOf(text, ended)), place };
    } catch (error) {
      yield rejected(place, error);
    }
  }
}

function exactDocument(entries: readonly [string, unknown][]): SourceDocument | null {
  const [id, fields] = ["id", "fields"].map((name) => entries.find(([key]) => key === name)?.[1]);
  if (entries.length !== 2 || typeof fields !== "object" || fields === null || Array.isArray(fields))
    return null;
  return checkedDocument(id, Object.entries(fields));
}

function entriesOf(text: string, ended: boolean): [string, unknown][] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    // No part of an object is itself an object: a last line without a line feed is whole if it parses.
    throw invalid(
      ended ? `Not valid JSON. ${why}` : `The file ends inside this record: it looks cut off. ${why}`,
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("The line must be a JSON object.");
  }
  return Object.entries(value);
}

/** Only what JSON calls white space: a line of anything else is a mistake to be shown. */
function isBlank(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!" \t\r".includes(text.charAt(i))) return false;
  return true;
}
