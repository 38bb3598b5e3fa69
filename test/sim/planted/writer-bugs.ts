/** Bugs that the code of somebody who publishes could have. */
import type { Planted } from "./planted.ts";

const PUBLISH = "indexer/store/publish.ts";
const VERSION = "indexer/store/publish-version.ts";
const SETTLE = "indexer/store/settle.ts";
const SWAP = "indexer/store/swap.ts";

/** In the commit itself. */
export const COMMIT_BUGS: readonly Planted[] = [
  {
    name: "the pointer is put, whatever is there",
    file: SWAP,
    changes: [
      [
        "store.putIfMatch(key, body, base.etag)",
        'store.put(key, body).then(({ etag }) => ({ kind: "written" as const, etag }))',
      ],
    ],
    within: 100,
  },
  {
    name: "the first pointer is put, whatever is there",
    file: SWAP,
    changes: [
      [
        "base === null ? store.putIfAbsent(key, body)",
        'base === null ? store.put(key, body).then(({ etag }) => ({ kind: "written" as const, etag }))',
      ],
    ],
    within: 200,
  },
  {
    name: "a commit has no id of its own",
    file: PUBLISH,
    changes: [["commit_id: toHex(ports.randomBytes(16))", 'commit_id: "0".repeat(32)']],
    within: 10,
  },
  {
    name: "the number of a version does not rise",
    file: PUBLISH,
    changes: [["(base?.pointer.seq ?? 0) + 1", "base?.pointer.seq ?? 1"]],
    within: 10,
  },
  {
    name: "the pointer does not name its parent",
    file: PUBLISH,
    changes: [["parent: base?.pointer.manifest.sha256 ?? null,", "parent: null,"]],
    within: 10,
  },
  {
    name: "the manifest does not name its parent",
    file: VERSION,
    changes: [["const parent = base?.pointer.manifest.sha256 ?? null;", "const parent = null;"]],
    within: 10,
  },
  {
    name: "the base is not passed on, and the newest version taken for it",
    file: VERSION,
    changes: [["{ manifest: bytes, blobs, base }", "{ manifest: bytes, blobs }"]],
    within: 100,
  },
  {
    name: "the pointer is written before the manifest and the blobs are looked at",
    file: PUBLISH,
    changes: [
      ["refreshed += await settle(", "const late = () => settle("],
      [
        "const outcome: SwapOutcome = await swap(store, index, base, pointer, ports);",
        "const outcome: SwapOutcome = await swap(store, index, base, pointer, ports);\n    refreshed += await late();",
      ],
    ],
    within: 10,
  },
  {
    name: "the index is not registered",
    file: PUBLISH,
    changes: [["  await register(store, index, ports);", ""]],
    within: 100,
  },
];

/** In finding out what became of a commit. */
export const OUTCOME_BUGS: readonly Planted[] = [
  {
    name: "a lost race is run again over the winner",
    file: SWAP,
    changes: [["if (base !== null && isSameVersion(current.pointer, base.pointer))", "if (base !== null)"]],
    within: 100,
  },
  {
    name: "a conflict is believed without looking whose it is",
    scene: "race",
    file: SWAP,
    changes: [
      [
        'if (outcome?.kind === "written") return { kind: "committed", pointer };',
        'if (outcome !== undefined) return outcome.kind === "written" ? { kind: "committed", pointer } : outcome;',
      ],
    ],
    within: 100,
  },
  {
    name: "an error is taken for a write that did not happen",
    scene: "race",
    file: SWAP,
    changes: [["failure ??= { cause };", 'return { kind: "conflict" };']],
    within: 100,
  },
  {
    name: "an error is taken for a write that happened",
    scene: "race",
    file: SWAP,
    changes: [["failure ??= { cause };", 'return { kind: "committed", pointer };']],
    within: 100,
  },
  {
    name: "only the current version is looked at for one's own",
    scene: "race",
    file: SWAP,
    changes: [["if (above < 0) return false;", "if (above !== 0) return false;"]],
    within: 2000,
  },
  {
    name: "what was written is deleted where the outcome is unknown",
    scene: "race",
    file: SWAP,
    changes: [
      [
        'return { kind: "unknown", cause: failure?.cause ?? error };',
        'await store.delete(pointer.manifest.key);\n      return { kind: "unknown", cause: failure?.cause ?? error };',
      ],
    ],
    within: 100,
  },
  {
    name: "what was written is deleted where a race was lost",
    file: VERSION,
    changes: [
      [
        '  throw outcome.kind === "conflict"',
        '  if (outcome.kind === "conflict") for (const { key } of blobs) await store.delete(key);\n  throw outcome.kind === "conflict"',
      ],
    ],
    within: 100,
  },
  {
    name: "what is read is not held against its digest",
    scene: "everything",
    file: "shared/format/load.ts",
    changes: [["if ((await sha256(body)) !== ref.sha256)", "if (body.length < 0)"]],
    within: 200,
  },
];

/** In what a writer does so that nothing is collected from under it. */
export const SETTLE_BUGS: readonly Planted[] = [
  {
    name: "an old blob that nothing names is not made young",
    scene: "revival",
    file: SETTLE,
    changes: [["      await refresh(store, blob);", ""]],
    within: 1000,
  },
  {
    name: "old blobs are taken for fresh",
    scene: "revival",
    file: SETTLE,
    changes: [["infos[at]!.modified < now - FRESH_MS", "infos[at]!.modified < now - 100 * FRESH_MS"]],
    within: 1000,
  },
  {
    name: "all blobs of earlier versions are taken to stand",
    scene: "revival",
    file: SETTLE,
    changes: [['link.kind !== "version" || replacedAt < now - FRESH_MS', 'link.kind !== "version"']],
    within: 2000,
  },
  {
    name: "a collection that may be deleting is not waited for",
    scene: "revival",
    file: SETTLE,
    changes: [
      ["  const clock = await store.head(GC_CLOCK_KEY);", "  const clock = null as ObjectInfo | null;"],
    ],
    within: 1000,
  },
  {
    name: "after waiting for a collection nobody looks what is left",
    scene: "revival",
    file: SETTLE,
    changes: [
      ["  await lookAtAll(store, [...blobs, { key: manifest.key, bytes: manifest.body.length }]);", ""],
    ],
    within: 1000,
  },
  {
    name: "what was settled is not settled again after a collection",
    scene: "sleepers",
    file: PUBLISH,
    changes: [["refreshed += await settle(", "if (touches === 0) refreshed += await settle("]],
    within: 500,
  },
];
