/**
 * Judges every answer against the version that it names: ids, order, scores to the bit, texts. An answer is right, or says
 * that a part is missing and is right for the rest, or is an error that says so; anything else is wrong.
 */
import type { SourceDocument } from "../../indexer/sources/source.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import type { Fields, SearchAnswer } from "../../shared/types.ts";
import { TINY_TOKENIZER } from "../../test/helpers/tiny-encoder.ts";
import { type PlainAnswer, plainAnswer } from "./plain.ts";
import type { Question, SearchQuestion } from "./questions.ts";
import type { StoredVersion } from "./stored.ts";

/** What a client was told. */
export interface Told {
  readonly status: number;
  /** The body as JSON; undefined where it was none. */
  readonly body: unknown;
}

/** What an answer is worth. */
export type Verdict =
  | { readonly kind: "right" | "partial"; readonly version: string; readonly region: string | undefined }
  | { readonly kind: "error"; readonly code: string }
  | { readonly kind: "wrong"; readonly what: string }
  /** Nobody has said yet that there is such a version: to be judged again once more are known, and wrong in the end. */
  | { readonly kind: "unknown version"; readonly version: string };

interface Known {
  readonly stored: StoredVersion;
  readonly fields: ReadonlyMap<string, Fields>;
  /** Answers that were computed, by question and missing shards. */
  readonly answers: Map<string, PlainAnswer>;
}

/** Holds every version that was published with what it must answer. */
export class Auditor {
  readonly #known = new Map<string, Known>();
  readonly #tokenizer: Tokenizer = loadTokenizer(TINY_TOKENIZER);

  /** A version was published out of these documents. Says what is wrong with the set of its documents; nothing for a sound one. */
  publish(stored: StoredVersion, documents: readonly SourceDocument[]): readonly string[] {
    const fields = new Map(documents.map((document) => [document.id, document.fields]));
    this.#known.set(stored.version, { stored, fields, answers: new Map() });
    const ids = stored.shards.flatMap((records) => records.map(({ id }) => id));
    const held = new Set(ids);
    return [
      ...(held.size === ids.length ? [] : [`${stored.version} has a document twice`]),
      ...documents.filter(({ id }) => !held.has(id)).map(({ id }) => `${stored.version} lacks ${id}`),
      ...ids.filter((id) => !fields.has(id)).map((id) => `${stored.version} has ${id}, which is gone`),
    ];
  }

  /** What each part of an answer is worth: one verdict, or one for each search of a batch. */
  judge(question: Question, { status, body }: Told): readonly Verdict[] {
    const code = errorOf(body);
    if (code !== undefined) {
      // Every question can be answered, so that one cannot be is never the client's fault.
      return [status >= 500 ? { kind: "error", code } : wrong(`${status} ${code} for a sound question`)];
    }
    if (status !== 200) return [wrong(`status ${status} without an error in its body`)];
    switch (question.kind) {
      case "search":
        return [this.#search(question, body)];
      case "document":
        return [this.#document(question.id, body)];
      case "batch": {
        const { answers } = body as { readonly answers?: readonly unknown[] };
        if (answers?.length !== question.searches.length) return [wrong("a batch lacks an answer")];
        return question.searches.map((search, at): Verdict => {
          const failed = errorOf(answers[at]);
          return failed === undefined ? this.#search(search, answers[at]) : { kind: "error", code: failed };
        });
      }
    }
  }

  #search(question: SearchQuestion, body: unknown): Verdict {
    const answer = body as SearchAnswer & { readonly missing_shards?: readonly number[] };
    const known = this.#known.get(answer.version);
    if (known === undefined) return { kind: "unknown version", version: String(answer.version) };
    const missing = answer.missing_shards ?? [];
    if (answer.partial !== missing.length > 0) return wrong("partial and missing_shards contradict");
    const what = differences(this.#expected(known, question, missing), answer, known.fields);
    const without = missing.length === 0 ? "" : ` without ${missing.join(", ")}`;
    if (what !== undefined) return wrong(`${answer.version}${without} ${JSON.stringify(question)}: ${what}`);
    return { kind: answer.partial ? "partial" : "right", version: answer.version, region: answer.region };
  }

  #document(id: string, body: unknown): Verdict {
    const { version, region, id: said, fields } = body as Partial<Record<string, string>>;
    const known = this.#known.get(String(version));
    if (known === undefined) return { kind: "unknown version", version: String(version) };
    const wanted = JSON.stringify(sorted(known.fields.get(id)));
    if (said !== id || JSON.stringify(sorted(fields)) !== wanted)
      return wrong(`${version} has another document ${id}`);
    return { kind: "right", version: version!, region };
  }

  #expected(known: Known, question: SearchQuestion, missing: readonly number[]): PlainAnswer {
    const key = JSON.stringify([question, missing]);
    const before = known.answers.get(key);
    if (before !== undefined) return before;
    const ids = this.#tokenizer.ids(question.q);
    const made = plainAnswer(known.stored, { ...question, ids }, new Set(missing));
    known.answers.set(key, made);
    return made;
  }
}

/** The first thing that an answer says otherwise; undefined where there is none. */
function differences(
  wanted: PlainAnswer,
  { hits, total }: SearchAnswer,
  documents: ReadonlyMap<string, Fields>,
): string | undefined {
  if (total !== wanted.total) return `a total of ${total} for ${wanted.total}`;
  if (hits.length !== wanted.hits.length) return `${hits.length} hits for ${wanted.hits.length}`;
  for (const [at, hit] of hits.entries()) {
    const expected = wanted.hits[at]!;
    if (hit.id !== expected.id) return `hit ${at} is ${hit.id} for ${expected.id}`;
    for (const side of ["score", "dense", "sparse"] as const) {
      // To the bit: JSON gives numbers back as they were, but for the sign of 0.
      if (hit[side] !== expected[side]) return `${hit.id} has the ${side} ${hit[side]} for ${expected[side]}`;
    }
    const { start, end } = hit.passage;
    if (start !== expected.start || end !== expected.end) return `${hit.id} shows another passage`;
    if (JSON.stringify(sorted(hit.fields)) !== JSON.stringify(sorted(documents.get(hit.id))))
      return `${hit.id} says something else than its document`;
  }
  return undefined;
}

/** Entries of an object in an order of their own. */
function sorted(fields: unknown): readonly unknown[] {
  return Object.entries(fields ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The code of an error in a body; undefined where there is none. */
function errorOf(body: unknown): string | undefined {
  if (body === null || typeof body !== "object") return undefined;
  const { error } = body as { readonly error?: { readonly code?: unknown } };
  return typeof error?.code === "string" ? error.code : undefined;
}

function wrong(what: string): Verdict {
  return { kind: "wrong", what };
}
