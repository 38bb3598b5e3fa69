/** An index of a few documents that ranks by shared words: enough of one to test what serves it. */
import type { OpenIndex, StoredDocument, WaitingWrite } from "../../shared/engine/api.ts";
import type { Manifest } from "../../shared/format/manifest.ts";
import type { OverlayFile } from "../../shared/format/overlay.ts";
import type { Sha256 } from "../../shared/hash.ts";
import type { Fields, Hit, SearchAnswer, SearchRequest, WordShare } from "../../shared/types.ts";

/** What a fake index is made of. */
export interface FakeOptions {
  readonly name?: string;
  readonly seq?: number;
  readonly residentBytes?: number;
  /** Names of its tasks; `search` alone when absent. */
  readonly tasks?: readonly string[];
  readonly documents?: readonly { readonly id: string; readonly fields: Fields }[];
  /** What it says it holds of writes at the edge. */
  readonly overlay?: OverlayFile;
  /** Called before each search is answered; may wait or throw. */
  readonly beforeSearch?: (request: SearchRequest) => Promise<void> | void;
}

/** Documents for tests that do not care. */
export const FAKE_DOCUMENTS: readonly { readonly id: string; readonly fields: Fields }[] = [
  {
    id: "edge/cold-start",
    fields: {
      title: "Cold starts at the edge",
      text: "A function that has not run for a while must be loaded before it can answer. At the edge this takes a few milliseconds, because an isolate is not a container: no process is started and no file system is mounted.",
      url: "https://example.org/cold-start",
      year: 2025,
    },
  },
  {
    id: "search/meaning",
    fields: {
      title: "Searching by meaning",
      text: "Two texts may say the same with no word in common. A search by meaning places both near each other, so that a question about a car finds a page about automobiles.",
      tags: ["search", "vectors"],
    },
  },
  {
    id: "search/words",
    fields: {
      title: "Searching by words",
      text: "Names, codes and rare terms are found by their letters. A search by words ranks a page by how often it holds what was asked, and how seldom others do.",
    },
  },
];

/** An open index over these documents. A hit needs one word in common with the query. */
export function fakeIndex(options: FakeOptions = {}): OpenIndex {
  const { documents = FAKE_DOCUMENTS } = options;
  const withWrites = (writes: readonly WaitingWrite[], capBytes = 0, unread = 0): OpenIndex => {
    const laid = new Map(documents.map((document) => [document.id, document]));
    let waitingBytes = 0;
    let left = unread;
    for (const { entry, bytes } of writes) {
      if (waitingBytes + bytes > capBytes) {
        left++;
        continue;
      }
      waitingBytes += bytes;
      laid.delete(entry.id);
      if (entry.op === "put") laid.set(entry.id, { id: entry.id, fields: entry.fields });
    }
    const index = plainIndex({ ...options, documents: [...laid.values()] });
    return {
      ...index,
      ...{ waiting: writes, waitingBytes, left, unread, overlay: options.overlay ?? null },
      withWrites,
      leavesOut: (others, cap) => withWrites(others, cap).left,
    };
  };
  return withWrites([]);
}

function plainIndex(
  options: FakeOptions,
): Omit<OpenIndex, "waiting" | "waitingBytes" | "left" | "unread" | "overlay" | "withWrites" | "leavesOut"> {
  const { name = "docs", seq = 7, residentBytes = 1000, documents = FAKE_DOCUMENTS } = options;
  const digest = seq.toString(16).padStart(8, "0").repeat(8) as Sha256;
  const version = `${seq}-${digest.slice(0, 8)}`;
  return {
    name,
    version,
    residentBytes,
    manifest: fakeManifest(name, documents.length, digest, options.tasks),
    manifestSha256: digest,
    warm: async () => undefined,
    prepare: async () => undefined,
    async search(request): Promise<SearchAnswer> {
      await options.beforeSearch?.(request);
      const hits = documents
        .map((document) => hitOf(document, request))
        .filter((hit) => hit !== null)
        .sort((a, b) => b.score - a.score);
      return {
        index: name,
        version,
        region: "test",
        mode: request.mode,
        took_ms: 0.42,
        total: hits.length,
        partial: false,
        hits: hits.slice(request.offset, request.offset + request.limit),
      };
    },
    async document(id): Promise<StoredDocument | null> {
      const found = documents.find((document) => document.id === id);
      return found === undefined ? null : { ...found, passages: [{ start: 0, end: textOf(found).length }] };
    },
  };
}

function hitOf(document: { id: string; fields: Fields }, request: SearchRequest): Hit | null {
  const text = textOf(document);
  const all = `${String(document.fields.title ?? "")} ${text}`.toLowerCase();
  const words = [...request.q.matchAll(/\S+/g)].map((match) => ({ word: match[0], start: match.index }));
  const found = words.filter(({ word }) => all.includes(word.toLowerCase()));
  if (found.length === 0) return null;
  const marks = found
    .map(({ word }) => text.toLowerCase().indexOf(word.toLowerCase()))
    .map((at, place): [number, number] => [at, at + found[place]!.word.length])
    .filter(([at]) => at >= 0)
    .sort(([a], [b]) => a - b);
  const share = found.length / words.length;
  const explained = words.map(
    ({ word, start }, at): WordShare => ({
      word,
      start,
      end: start + word.length,
      dense: found.some((other) => other.start === start) ? share / (at + 1.5) : -0.04,
      sparse: found.some((other) => other.start === start) ? word.length : 0,
    }),
  );
  return {
    id: document.id,
    score: share,
    dense: share * 0.8,
    sparse: explained.reduce((sum, word) => sum + word.sparse, 0),
    fields: document.fields,
    snippet: { text, marks },
    passage: { start: 0, end: Math.min(80, text.length), heading: "Overview" },
    ...(request.explain
      ? {
          explain: {
            words: explained,
            fusion: { rule: "minmax", weight: 0.6, dense: share, sparse: share } as const,
          },
        }
      : {}),
  };
}

function textOf({ fields }: { fields: Fields }): string {
  return String(fields.text ?? "");
}

function fakeManifest(
  index: string,
  documents: number,
  digest: Sha256,
  tasks: readonly string[] = ["search"],
): Manifest {
  return {
    format: 1,
    index,
    created: "2026-01-31T12:00:00.000Z",
    parent: null,
    model: { name: "fake", encoder: digest, dimension: 4, vocabulary: 10, max_tokens: 256 },
    binding: digest,
    tasks: tasks.map((name) => ({ name, query_prompt: "", table: digest })),
    fusion: { rule: "minmax", weight: 0.6 },
    counts: { documents, chunks: documents, rejected: 0 },
    fields: [{ name: "title", kind: "text" }],
    blobs: [
      {
        role: "tokenizer",
        key: `blobs/${digest}`,
        sha256: digest,
        bytes: 100,
        head: { bytes: 64, sha256: digest },
      },
    ],
  };
}
