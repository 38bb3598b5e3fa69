import { checkFieldName } from "../../shared/document-rules.ts";
import { printable } from "../../shared/errors.ts";
import { decodeUtf8, type Framing, rawRecords, tooLong } from "./lines.ts";
import { documentFromFields } from "./named-fields.ts";
import type { FieldOptions, Source, SourceRecord } from "./source.ts";
import { invalid, rejected } from "./validate.ts";

/**
 * A table with a header row, RFC 4180: cells apart by commas (tabs in a `.tsv` file),
 * quoted where they hold a separator, a quote (doubled) or a line end. Every cell is
 * kept as a string; no column is taken for a number. Empty lines are skipped. A row
 * that breaks the rules is rejected and the next line starts afresh.
 *
 * Written here rather than taken from a CSV package because those decode with
 * replacement characters and stop for good at a record above their limit; the tests
 * hold it against one.
 */
export function csvSource(file: string, options: FieldOptions = {}): Source {
  return { description: `csv ${file}`, records: () => csvRecords(file, options) };
}

async function* csvRecords(file: string, options: FieldOptions): AsyncIterable<SourceRecord> {
  const delimiter = file.toLowerCase().endsWith(".tsv") ? "\t" : ",";
  let header: readonly string[] | undefined;
  for await (const { line, bytes, ended } of rawRecords(file, quotedFraming(delimiter))) {
    const place = { file, line };
    try {
      if (bytes === undefined) throw tooLong();
      const text = withoutReturn(decodeUtf8(bytes));
      if (text === "") continue;
      const cells = cellsOf(text, delimiter, ended);
      if (header === undefined) header = checkedHeader(cells, options);
      else yield { kind: "document", document: documentFromFields(zip(header, cells), options), place };
    } catch (error) {
      yield rejected(place, error);
      // Without a header no cell has a name: nothing below can be read.
      if (header === undefined) return;
    }
  }
}

/**
 * The cells of one record without its line end. Throws `source/invalid` for a quote
 * inside a bare cell, text after a closing quote, a quote never closed, and a carriage
 * return outside quotes. Linear.
 */
export function cellsOf(text: string, delimiter: string, ended = true): string[] {
  const cells: string[] = [];
  for (let at = 0; at <= text.length; at++) {
    const quoted = text[at] === '"';
    const end = quoted ? quotedEnd(text, at, ended) : indexOr(text, delimiter, at);
    const cell = text.slice(at, end);
    if (!quoted && (cell.includes('"') || cell.includes("\r"))) {
      throw invalid(`Cell ${cells.length + 1} has a quote or a carriage return but is not quoted.`);
    }
    if (end < text.length && text[end] !== delimiter) {
      throw invalid(`Cell ${cells.length + 1} goes on after its closing quote.`);
    }
    cells.push(quoted ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    at = end;
  }
  return cells;
}

/** The position after the closing quote of the cell that opens at `open`. */
function quotedEnd(text: string, open: number, ended: boolean): number {
  let at = text.indexOf('"', open + 1);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  if (at >= 0) return at + 1;
  throw invalid(ended ? "A quote is never closed." : "A quote is still open where the file ends.");
}

/** Line feeds end records except inside quotes, which open only where a cell begins. */
function quotedFraming(delimiter: string): Framing {
  const separator = delimiter.charCodeAt(0);
  let state: "start" | "bare" | "quoted" | "quote" = "start";
  return {
    recordEnd(piece, from) {
      for (let at = from; at < piece.length; at++) {
        if (state === "quoted") {
          const quote = piece.indexOf(0x22, at);
          if (quote < 0) return -1;
          at = quote;
          state = "quote";
          continue;
        }
        const byte = piece[at];
        if (byte === 0x0a) {
          state = "start";
          return at + 1;
        }
        if (byte === separator) state = "start";
        else if (byte === 0x22 && state !== "bare") state = "quoted";
        else state = "bare";
      }
      return -1;
    },
  };
}

function checkedHeader(names: readonly string[], options: FieldOptions): readonly string[] {
  const seen = new Set<string>();
  for (const name of names) {
    checkFieldName(name);
    if (seen.has(name)) throw invalid(`Two columns are named ${printable(name)}.`, { field: name });
    seen.add(name);
  }
  for (const name of [options.idField, options.titleField, options.textField]) {
    if (name !== undefined && !seen.has(name)) {
      throw invalid(`The header has no column ${printable(name)}.`, { field: name });
    }
  }
  return names;
}

function zip(header: readonly string[], cells: readonly string[]): [string, string][] {
  if (cells.length !== header.length) {
    throw invalid(`The row has ${cells.length} cells; the header has ${header.length}.`, {
      limit: header.length,
    });
  }
  return header.map((name, i) => [name, cells[i] ?? ""]);
}

function indexOr(text: string, needle: string, from: number): number {
  const at = text.indexOf(needle, from);
  return at < 0 ? text.length : at;
}

function withoutReturn(text: string): string {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}
