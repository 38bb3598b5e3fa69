/** Bugs that garbage collection could have. */
import type { Planted } from "./planted.ts";

const GC = "shared/versions/gc.ts";
const PLAN = "shared/versions/gc-plan.ts";
const FACTS = "shared/versions/gc-facts.ts";

/** In deciding what may go. */
export const PLAN_BUGS: readonly Planted[] = [
  {
    name: "indexes that a listing leaves out are not there",
    scene: "everything",
    file: FACTS,
    changes: [["new Set([...registered, ...listed.keys()])", "new Set(listed.keys())"]],
    within: 500,
  },
  {
    name: "a manifest that cannot be read names nothing",
    scene: "everything",
    file: PLAN,
    changes: [
      [
        'if (content.kind === "read") return content;',
        'return content.kind === "read" ? content : { keys: [] };',
      ],
    ],
    within: 200,
  },
  {
    name: "the collector's clock is two days ahead",
    file: GC,
    changes: [
      [
        "const facts = await gatherFacts(store);",
        "const facts = await gatherFacts(store);\n    const ahead = now + 48 * 3_600_000;",
      ],
      ["planCollection(facts, now, options)", "planCollection(facts, ahead, options)"],
    ],
    within: 100,
  },
  {
    name: "the age of a blob is not asked for",
    scene: "revival",
    file: PLAN,
    changes: [["facts.blobs.filter((blob) => isOld(blob) && ", "facts.blobs.filter((blob) => "]],
    within: 4000,
  },
  {
    name: "versions that readers may hold are let go of",
    scene: "sleepers",
    file: PLAN,
    changes: [
      [
        "const isYoung = (time: number) => time >= now - retention.graceMs;",
        "const isYoung = (time: number) => time >= now;",
      ],
    ],
    within: 1000,
  },
  {
    name: "one version fewer is kept",
    file: PLAN,
    changes: [["at < keep ||", "at < keep - 1 ||"]],
    within: 10,
  },
];

/** In deleting. */
export const SWEEP_BUGS: readonly Planted[] = [
  {
    name: "writers are not told of a collection",
    scene: "revival",
    file: GC,
    changes: [
      [
        "? store.putIfAbsent(GC_CLOCK_KEY, body)",
        '? Promise.resolve<PutOutcome>({ kind: "written", etag: "none" })',
      ],
    ],
    within: 1000,
  },
  {
    name: "what is about to be deleted is not looked at again",
    scene: "revival",
    file: GC,
    changes: [
      [
        "if (now === null || now.modified !== modified || now.bytes !== bytes) continue;",
        "void [now, modified];",
      ],
    ],
    within: 2000,
  },
  {
    name: "a collection deletes for as long as it likes",
    scene: "revival",
    file: GC,
    changes: [["ports.monotonic() - began < SWEEP_WINDOW_MS", "ports.monotonic() >= began"]],
    within: 4000,
  },
  {
    name: "writers that sleep are not locked out",
    scene: "sleepers",
    file: PLAN,
    changes: [["pointer !== null && !isYoung(pointer.modified)", "pointer !== null && pointer.modified < 0"]],
    within: 1000,
  },
];
