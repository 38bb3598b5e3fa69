/**
 * Bugs that somebody could make, as changes of the product's text. Each must be caught by random schedules:
 * a net that lets one of them through has a hole. A change that no longer fits its file fails as well,
 * so that this list keeps up with the product.
 */

/** A bug and how soon it must be noticed. */
export interface Planted {
  readonly name: string;
  /** The file to change, from the root. */
  readonly file: string;
  /** Texts, each of which is in the file once, with what is put in their place. */
  readonly changes: readonly (readonly [from: string, to: string])[];
  /** Schedules, from seed 1 on, within which a promise must be seen broken. */
  readonly within: number;
}

const PUBLISH = "indexer/store/publish.ts";

/** All of them. */
export const PLANTED: readonly Planted[] = [
  {
    name: "the pointer is put, whatever is there",
    file: PUBLISH,
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
    file: PUBLISH,
    changes: [
      [
        "base === null ? store.putIfAbsent(key, body)",
        'base === null ? store.put(key, body).then(({ etag }) => ({ kind: "written" as const, etag }))',
      ],
    ],
    within: 100,
  },
  {
    name: "a commit has no id of its own",
    file: PUBLISH,
    changes: [["commit_id: toHex(ports.randomBytes(16))", 'commit_id: "0".repeat(32)']],
    within: 10,
  },
  {
    name: "the base is forgotten and the newest version taken for it",
    file: PUBLISH,
    changes: [
      [
        "request.base === undefined ? await readPointer(store, index) : request.base",
        "await readPointer(store, index)",
      ],
    ],
    within: 100,
  },
  {
    name: "a lost race is run again over the winner",
    file: PUBLISH,
    changes: [
      [
        'if (outcome?.kind === "conflict" || current?.etag !== base?.etag) return { kind: "conflict" };',
        "if (current !== null && current.etag !== base?.etag) return swap(store, index, current, { ...pointer, seq: current.pointer.seq + 1, parent: current.pointer.manifest.sha256 }, ports);",
      ],
    ],
    within: 100,
  },
  {
    name: "a conflict is believed without looking whose it is",
    file: PUBLISH,
    changes: [
      [
        'if (outcome?.kind === "written") return { kind: "committed", pointer };',
        'if (outcome !== undefined) return outcome.kind === "written" ? { kind: "committed", pointer } : outcome;',
      ],
    ],
    within: 200,
  },
  {
    name: "an error is taken for a write that did not happen",
    file: PUBLISH,
    changes: [["cause = error;", 'cause = error;\n      return { kind: "conflict" };']],
    within: 200,
  },
  {
    name: "an error is taken for a write that happened",
    file: PUBLISH,
    changes: [["cause = error;", 'cause = error;\n      return { kind: "committed", pointer };']],
    within: 200,
  },
  {
    name: "the number of a version does not rise",
    file: PUBLISH,
    changes: [["(base?.pointer.seq ?? 0) + 1", "(base?.pointer.seq ?? 1)"]],
    within: 10,
  },
  {
    name: "the pointer does not name its parent",
    file: PUBLISH,
    changes: [["parent: base?.pointer.manifest.sha256 ?? null,", "parent: null,"]],
    within: 10,
  },
  {
    name: "the pointer is written before the manifest",
    file: PUBLISH,
    changes: [
      ["  await putContent(store, key, bytes);\n  return { key,", "  void key;\n  return { key,"],
      [
        "return swap(store, index, base, pointer, ports);",
        "const swapped = await swap(store, index, base, pointer, ports);\n  await putContent(store, manifest.key, request.manifest);\n  return swapped;",
      ],
    ],
    within: 10,
  },
  {
    name: "what is read is not held against its digest",
    file: "shared/format/load.ts",
    changes: [["if ((await sha256(body)) !== ref.sha256)", "if (body.length < 0)"]],
    within: 2000,
  },
];
