import type { RejectedRecord, Source } from "./source.ts";

/** What to do about records that cannot be indexed. */
export interface CheckedOptions {
  /** `skip` passes a rejection on and reads further; `fail` throws its reason. */
  readonly onRejected: "skip" | "fail";
  /** Called once for each rejection, before it is passed on or thrown. */
  readonly report: (record: RejectedRecord) => void;
}

/** What a source has yielded so far, over all its passes. */
export interface SourceCounts {
  readonly documents: number;
  readonly rejected: number;
  /** Documents with neither title nor text, which can be found by their id alone. Many of them mean misnamed fields. */
  readonly blank: number;
}

/** A source whose rejections are counted, reported and, if asked, fatal. */
export interface CheckedSource extends Source {
  counts(): SourceCounts;
}

/** Wraps a source; the records themselves stay as they are. */
export function checked(source: Source, { onRejected, report }: CheckedOptions): CheckedSource {
  const counts = { documents: 0, rejected: 0, blank: 0 };
  return {
    description: source.description,
    counts: () => ({ ...counts }),
    async *records() {
      for await (const record of source.records()) {
        if (record.kind === "rejected") {
          counts.rejected++;
          report(record);
          if (onRejected === "fail") throw record.reason;
        } else {
          counts.documents++;
          const { title, text } = record.document.fields;
          if (isBlank(title) && isBlank(text)) counts.blank++;
        }
        yield record;
      }
    },
  };
}

function isBlank(value: unknown): boolean {
  return typeof value !== "string" || value.trim() === "";
}
