/** What to show of a document's own fields, whose names nobody can foresee. */
import type { Fields, FieldValue, Passage } from "../../shared/types.ts";

/** The heading of a hit or document: its title, else its name, else its id. */
export function titleOf(id: string, fields: Fields): string {
  const name = titleField(fields);
  return name === undefined ? id : String(fields[name]);
}

/** Name of the field that `titleOf` shows, undefined where it shows the id. */
export function titleField(fields: Fields): string | undefined {
  return ["title", "name", "heading"].find((name) => {
    const value = fields[name];
    return typeof value === "string" && value.trim() !== "";
  });
}

/** A field's value as one line of text. */
export function valueText(value: FieldValue): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/**
 * Where the document can be read at its source, or null. Only http and https: a field may
 * hold anything, and a `javascript:` link would run as this page.
 */
export function sourceOf(fields: Fields, passage?: Passage): URL | null {
  for (const name of ["url", "link", "href"]) {
    const value = fields[name];
    if (typeof value !== "string" || !URL.canParse(value)) continue;
    const url = new URL(value);
    if (url.protocol !== "https:" && url.protocol !== "http:") continue;
    if (passage?.anchor !== undefined) url.hash = passage.anchor;
    return url;
  }
  return null;
}
