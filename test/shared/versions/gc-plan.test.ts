/** Which versions stay and what goes, as a function of what was found: no store, no time passes. */
import { describe, expect, it } from "vitest";
import { LightedgeError } from "../../../shared/errors.ts";
import { blobKey, manifestKey } from "../../../shared/format/names.ts";
import type { Sha256 } from "../../../shared/hash.ts";
import type { GcFacts, IndexFacts, ManifestFacts } from "../../../shared/versions/gc-facts.ts";
import { planCollection, type Retention } from "../../../shared/versions/gc-plan.ts";
import { FRESH_MS } from "../../../shared/versions/times.ts";

const NOW = 1_000_000_000;
const GRACE = 100_000_000;
/** Age from which an object is old. */
const OLD = GRACE + FRESH_MS + 1;

const digestOf = (name: string) => Buffer.from(name.padEnd(32, ".")).toString("hex") as Sha256;
const keyOf = (name: string) => blobKey(digestOf(name));

interface Made {
  /** Age in ms. */
  readonly age: number;
  readonly parent?: string | null;
  /** Blobs that it names. */
  readonly blobs?: readonly string[];
  readonly unreadable?: boolean;
}

/** An index with a chain: newest first, each with its age; `before` the version that the last one names. */
function indexOf(
  chain: readonly (Made & { readonly name: string })[],
  more: Partial<Pick<IndexFacts, "name" | "registered">> & {
    readonly seq?: number;
    readonly pointerAge?: number;
    readonly others?: Readonly<Record<string, Made>>;
    readonly before?: string;
  } = {},
): IndexFacts {
  const name = more.name ?? "docs";
  const manifests = new Map<Sha256, ManifestFacts>();
  const add = (own: string, { age, parent = null, blobs = [own], unreadable = false }: Made) => {
    const sha256 = digestOf(own);
    manifests.set(sha256, {
      key: manifestKey(name, sha256),
      bytes: 10,
      modified: NOW - age,
      content: unreadable
        ? { kind: "unreadable", reason: new LightedgeError("blob/corrupt", `${own} is damaged.`) }
        : {
            kind: "read",
            parent: parent === null ? null : digestOf(parent),
            keys: blobs.map(keyOf),
            overlay: null,
          },
    });
  };
  chain.forEach((made, at) => {
    add(made.name, { ...made, parent: chain[at + 1]?.name ?? more.before ?? null });
  });
  for (const [own, made] of Object.entries(more.others ?? {})) add(own, made);
  const [current] = chain;
  const sha256 = digestOf(current?.name ?? "");
  return {
    name,
    registered: more.registered ?? true,
    pointer:
      current === undefined
        ? null
        : {
            pointer: {
              format: 1,
              seq: more.seq ?? chain.length,
              commit_id: "",
              parent: null,
              manifest: { key: "", sha256, bytes: 10 },
            },
            etag: "",
            modified: NOW - (more.pointerAge ?? current.age),
          },
    manifests,
    inbox: [],
  };
}

/** Facts with these blobs by age; those that an index names are old and there. */
function factsOf(
  indexes: readonly IndexFacts[],
  blobs: Readonly<Record<string, number>> = {},
  released: GcFacts["clock"]["released"] = {},
  current: GcFacts["clock"]["current"] = {},
): GcFacts {
  const ages = new Map<string, number>();
  for (const { manifests } of indexes)
    for (const { content } of manifests.values())
      if (content.kind === "read") for (const key of content.keys) ages.set(key, OLD);
  for (const [name, age] of Object.entries(blobs)) ages.set(keyOf(name), age);
  return {
    indexes,
    blobs: [...ages].map(([key, age]) => ({ key, bytes: 5, modified: NOW - age })),
    clock: { released, current, etag: null },
    registryEtag: "",
  };
}

/** Names of what goes: blobs, manifests, and what is let go of. */
function planOf(facts: GcFacts, retention: Partial<Retention> = {}) {
  const plan = planCollection(facts, NOW, { graceMs: GRACE, keep: 1, ...retention });
  const nameOf = (key: string) =>
    Buffer.from(/[0-9a-f]{64}/u.exec(key)![0], "hex")
      .toString()
      .replace(/\.+$/u, "");
  return {
    blobs: plan.blobs.map(({ key }) => nameOf(key)),
    manifests: plan.manifests.map(({ key }) => nameOf(key)),
    kept: plan.kept.map(({ index, seq }) => `${index} ${seq}`),
    released: plan.clock.released,
    touches: plan.touches,
  };
}

/** Four versions, each made when the one before had been there for longer than the grace. */
const FOUR = [
  { name: "v4", age: 1.5 * GRACE },
  { name: "v3", age: 3 * GRACE },
  { name: "v2", age: 4.5 * GRACE },
  { name: "v1", age: 6 * GRACE },
];

describe("versions", () => {
  it("go once they were replaced longer ago than the grace, but for the newest", () => {
    expect(planOf(factsOf([indexOf(FOUR)]))).toEqual({
      blobs: ["v3", "v2", "v1"],
      manifests: ["v1", "v2", "v3"],
      kept: ["docs 4"],
      released: { docs: 3 },
      touches: ["docs"],
    });
  });

  it.each([1, 2, 3, 4, 9])("stay if they are among the newest %d, whatever their age", (keep) => {
    const { kept, blobs, released } = planOf(factsOf([indexOf(FOUR)]), { keep });
    const stay = Math.min(keep, 4);
    expect(kept).toHaveLength(stay);
    expect(blobs).toHaveLength(4 - stay);
    expect(released).toEqual(stay === 4 ? {} : { docs: 4 - stay });
  });

  it("stay for the grace after they were replaced, however old they are", () => {
    const chain = [
      { name: "v2", age: GRACE },
      { name: "v1", age: 9 * GRACE },
    ];
    expect(planOf(factsOf([indexOf(chain, { pointerAge: GRACE })])).kept).toEqual(["docs 2", "docs 1"]);
    // The manifest is young still, so whoever is about to publish may count on its parent.
    expect(planOf(factsOf([indexOf(chain, { pointerAge: GRACE + 1 })])).kept).toEqual(["docs 2", "docs 1"]);
    const older = [
      { name: "v2", age: OLD },
      { name: "v1", age: 9 * GRACE },
    ];
    expect(planOf(factsOf([indexOf(older)])).kept).toEqual(["docs 2"]);
  });

  it("count from when the pointer moved, not from when the next manifest was written", () => {
    // Its writer slept between the two.
    const chain = [
      { name: "v2", age: 8 * GRACE },
      { name: "v1", age: 9 * GRACE },
    ];
    expect(planOf(factsOf([indexOf(chain, { pointerAge: GRACE })])).kept).toEqual(["docs 2", "docs 1"]);
    expect(planOf(factsOf([indexOf(chain, { pointerAge: GRACE + 1 })])).kept).toEqual(["docs 2"]);
  });

  it("that were replaced by a writer who slept stay until the one after is older than the grace", () => {
    const chain = (age: number) => [
      { name: "v3", age },
      { name: "v2", age: 8 * GRACE },
      { name: "v1", age: 9 * GRACE },
    ];
    expect(planOf(factsOf([indexOf(chain(GRACE))])).kept).toEqual(["docs 3", "docs 2", "docs 1"]);
    expect(planOf(factsOf([indexOf(chain(OLD))])).kept).toEqual(["docs 3"]);
  });

  it("count from when they were replaced, also where a collection has written the pointer again since", () => {
    const chain = [
      { name: "v2", age: 8 * GRACE },
      { name: "v1", age: 9 * GRACE },
    ];
    const touched = indexOf(chain, { pointerAge: 0 });
    const since = (seq: number, age: number) => ({ docs: { seq, since: NOW - age } });
    expect(planOf(factsOf([touched], {}, {}, since(2, GRACE + 1))).kept).toEqual(["docs 2"]);
    expect(planOf(factsOf([touched], {}, {}, since(2, GRACE))).kept).toHaveLength(2);
    // Of a version that is current no longer.
    expect(planOf(factsOf([touched], {}, {}, since(1, GRACE + 1))).kept).toHaveLength(2);
  });

  it("whose pointer is written again are noted with the time since when they are current, once and for all", () => {
    const plan = (facts: GcFacts) => planCollection(facts, NOW, { graceMs: GRACE, keep: 1 }).clock.current;
    const index = (pointerAge: number) => indexOf(FOUR, { pointerAge });
    const noted = (seq: number) => ({ docs: { seq, since: 7 } });
    expect(plan(factsOf([index(2 * GRACE)]))).toEqual({ docs: { seq: 4, since: NOW - 2 * GRACE } });
    expect(plan(factsOf([index(GRACE)]))).toEqual({});
    expect(plan(factsOf([index(2 * GRACE)], {}, {}, noted(4)))).toEqual(noted(4));
    expect(plan(factsOf([index(GRACE)], {}, {}, noted(4)))).toEqual(noted(4));
    expect(plan(factsOf([index(GRACE)], {}, {}, noted(3)))).toEqual({});
  });

  it("of other indexes stay where one is named, with all that they name", () => {
    const other = indexOf(
      FOUR.map(({ name, age }) => ({ name: `o${name}`, age })),
      { name: "news", others: { loose: { age: 9 * GRACE, blobs: ["extra"] } } },
    );
    const { blobs, manifests, kept, released } = planOf(factsOf([indexOf(FOUR), other]), { index: "docs" });
    expect(blobs).toEqual(["v3", "v2", "v1"]);
    expect(manifests).toEqual(["v1", "v2", "v3"]);
    expect(kept).toEqual(["docs 4", "news 4", "news 3", "news 2", "news 1"]);
    expect(released).toEqual({ docs: 3 });
  });

  it("let go of earlier are no loss, and are not taken back", () => {
    const chain = indexOf(FOUR.slice(0, 2), { seq: 9, before: "gone" });
    expect(planOf(factsOf([chain], {}, { docs: 7 }), { keep: 5 })).toMatchObject({
      kept: ["docs 9", "docs 8"],
      released: { docs: 7 },
    });
    expect(planOf(factsOf([chain], {}, { docs: 7 }), { keep: 5, index: "docs" }).kept).toHaveLength(2);
    const other = indexOf([{ name: "o1", age: OLD }], { name: "other" });
    expect(planOf(factsOf([chain, other], {}, { docs: 7 }), { index: "other" }).kept).toHaveLength(3);
  });
});

describe("blobs", () => {
  it("stay while any version that stays names them, of whichever index", () => {
    const docs = indexOf([
      { name: "v2", age: OLD, blobs: ["a", "b"] },
      { name: "v1", age: 2 * OLD, blobs: ["b", "c"] },
    ]);
    const news = indexOf([{ name: "n1", age: OLD, blobs: ["c"] }], { name: "news" });
    expect(planOf(factsOf([docs])).blobs).toEqual(["c"]);
    expect(planOf(factsOf([docs, news])).blobs).toEqual([]);
  });

  it("that nothing names go once they are a quarter of an hour older than the grace", () => {
    const blobs = { young: 0, ripe: OLD - 1, old: OLD };
    expect(planOf(factsOf([indexOf([{ name: "v1", age: OLD }])], blobs)).blobs).toEqual(["old"]);
  });

  it("of a commit under way stay: its manifest is young", () => {
    const under = (age: number) =>
      indexOf([{ name: "v1", age: 3 * GRACE }], { others: { next: { age, parent: "v1", blobs: ["n"] } } });
    expect(planOf(factsOf([under(OLD - 1)]))).toMatchObject({ blobs: [], manifests: [], kept: ["docs 1"] });
    expect(planOf(factsOf([under(OLD)]))).toMatchObject({ blobs: ["n"], manifests: ["next"] });
  });
});

describe("a pointer", () => {
  it("is written again before anything is deleted once it is older than the grace", () => {
    const index = (name: string, pointerAge: number) =>
      indexOf([{ name, age: 3 * GRACE }], { name, pointerAge });
    expect(planOf(factsOf([index("one", GRACE), index("two", GRACE + 1)])).touches).toEqual(["two"]);
  });

  it("that is missing stops everything where the index is registered", () => {
    const index = indexOf([], { others: { first: { age: 9 * GRACE } } });
    expect(() => planOf(factsOf([index]))).toThrow(expect.objectContaining({ code: "index/not-found" }));
    const loose = indexOf([], { registered: false, others: { first: { age: 9 * GRACE }, next: { age: 0 } } });
    expect(planOf(factsOf([loose]))).toMatchObject({ blobs: ["first"], manifests: ["first"], kept: [] });
  });
});

describe("what is needed and cannot be read", () => {
  const stops = (index: IndexFacts, retention: Partial<Retention> = {}, released = {}) =>
    expect(() => planOf(factsOf([index], {}, released), retention)).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^blob/u),
        message: expect.stringContaining("Nothing was deleted"),
      }),
    );
  const withBroken = (at: number) => FOUR.map((made, place) => ({ ...made, unreadable: place === at }));

  it("stops everything: the current version", () => {
    stops(indexOf(withBroken(0)));
  });

  it("stops everything: a version that stays for its place or its time", () => {
    stops(indexOf(withBroken(1)), { keep: 2 });
    stops(indexOf(withBroken(1), { pointerAge: GRACE }));
    stops(indexOf(withBroken(2), { pointerAge: 0 }), { keep: 4 });
  });

  it("stops everything: a commit under way, and the version it is made from", () => {
    stops(indexOf(FOUR, { others: { next: { age: 0, unreadable: true } } }));
    const others = { other: { age: OLD, unreadable: true }, next: { age: 0, parent: "other" } };
    stops(indexOf(FOUR, { others }));
  });

  it("stops everything: any manifest of an index that is to keep all its versions", () => {
    stops(indexOf(withBroken(3)), { index: "news" });
    stops(indexOf(FOUR, { others: { loose: { age: 9 * GRACE, unreadable: true } } }), { index: "news" });
  });

  it("is garbage itself where it would have gone anyway", () => {
    expect(planOf(factsOf([indexOf(withBroken(2))]))).toMatchObject({
      manifests: ["v1", "v2", "v3"],
      kept: ["docs 4"],
      released: { docs: 3 },
    });
  });

  it("stops everything where it is gone though nobody has let go of it", () => {
    const chain = indexOf(FOUR.slice(0, 1), { seq: 4, before: "v3" });
    stops(chain, { keep: 2 });
    stops(chain, { keep: 2 }, { docs: 2 });
    stops(chain, { index: "news" });
    // It would go now in any case.
    expect(planOf(factsOf([chain])).kept).toEqual(["docs 4"]);
    const lost = new Map(chain.manifests);
    lost.delete(digestOf("v4"));
    stops({ ...chain, manifests: lost }, {}, { docs: 4 });
    stops({ ...chain, manifests: lost }, { index: "news" }, { docs: 4 });
  });
});
