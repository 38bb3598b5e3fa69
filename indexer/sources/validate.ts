/** Records of a source against the rules for documents, and what is said of those that break them. */
import { checkedFields, checkedId } from "../../shared/document-rules.ts";
import { LightedgeError } from "../../shared/errors.ts";
import type { Place, RejectedRecord, Section, SourceDocument } from "./source.ts";

/**
 * The document if everything about it holds. Throws `document/invalid`, without a place, for the
 * first thing that is wrong.
 */
export function checkedDocument(
  id: unknown,
  entries: Iterable<readonly [string, unknown]>,
  sections: readonly Section[] = [],
): SourceDocument {
  const validId = checkedId(id);
  return { id: validId, fields: checkedFields(validId, entries), sections };
}

/** A `source/invalid` without a place; `rejected` adds it. */
export function invalid(message: string, details: LightedgeError["details"] = {}): LightedgeError {
  return new LightedgeError("source/invalid", message, details);
}

/** The rejection of the record at this place. Errors that are not ours keep their message, as parsers say what is wrong. */
export function rejected(place: Place, error: unknown): RejectedRecord {
  const { file, line } = place;
  const message = error instanceof Error ? error.message : String(error);
  const details = error instanceof LightedgeError ? error.details : {};
  const reason = new LightedgeError(
    "source/invalid",
    `${file}:${line}: ${message}`,
    { ...details, file, line },
    error instanceof LightedgeError ? error.cause : error,
  );
  return { kind: "rejected", file, line, reason };
}
