import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { InboxEntry } from "../../../shared/format/inbox.ts";
import type { WriteId } from "../../../shared/format/names.ts";
import { NO_OVERLAY, type Overlay, packOverlay, unpackOverlay } from "../../../shared/format/overlay.ts";
import { type Fold, foldInbox, WATERMARK_MS } from "../../../shared/inbox/fold.ts";
import { entryOf, writeId } from "../../helpers/writes.ts";

const digest = (text: string) => [...text.padEnd(16, ".")].map((c) => c.charCodeAt(0).toString(16)).join("");
/** A source: for each id a name of its content. */
type Source = Readonly<Record<string, string>>;
const digestsOf = (source: Source) => (id: string) =>
  Object.hasOwn(source, id) ? digest(source[id]!) : null;

function fold(
  overlay: Overlay,
  entries: readonly InboxEntry[],
  source: Source,
  alsoListed: readonly WriteId[] = [],
): Fold {
  const listed = [...entries.map(({ write }) => write), ...alsoListed];
  return foldInbox(overlay, { entries, listed }, digestsOf(source));
}

/** What a version shows after a fold: the source's documents with the fold's word laid over them. */
function shown(
  before: ReadonlyMap<string, string>,
  source: Source,
  { puts, kept, deletes }: Fold,
): Map<string, string> {
  const after = new Map(Object.entries(source));
  for (const id of kept) after.set(id, before.get(id) ?? "lost");
  for (const [id, fields] of puts) after.set(id, String(fields.text));
  for (const id of deletes) after.delete(id);
  return after;
}

describe("folding", () => {
  it("lays a put and a delete over the source, and notes what the source had", () => {
    const entries = [entryOf(1, "a", { text: "new" }), entryOf(2, "b"), entryOf(3, "c", { text: "own" })];
    const result = fold(NO_OVERLAY, entries, { a: "old", b: "gone" });
    expect([...result.puts]).toEqual([
      ["a", { text: "new" }],
      ["c", { text: "own" }],
    ]);
    expect([...result.deletes]).toEqual(["b"]);
    expect(result.kept.size).toBe(0);
    expect(result.overlay.entries).toEqual([
      { id: "a", write: writeId(1), stands: "put", source: digest("old") },
      { id: "b", write: writeId(2), stands: "delete", source: digest("gone") },
      { id: "c", write: writeId(3), stands: "put", source: null },
    ]);
    expect(result.overlay.folded).toEqual([writeId(1), writeId(2), writeId(3)]);
    expect(result.taken).toBe(3);
  });

  it("changes nothing the second time, and keeps what it put", () => {
    const entries = [entryOf(1, "a", { text: "new" }), entryOf(2, "b")];
    const source = { a: "old", b: "gone" };
    const first = fold(NO_OVERLAY, entries, source);
    const second = fold(first.overlay, entries, source);
    expect(second).toEqual({ ...first, puts: new Map(), kept: new Set(["a"]), taken: 0 });
  });

  it("takes of several writes of a document the greatest, in whatever order they come", () => {
    const entries = [entryOf(3, "a", { text: "third" }), entryOf(1, "a", { text: "first" }), entryOf(2, "a")];
    const result = fold(NO_OVERLAY, entries, {});
    expect(result.puts.get("a")).toEqual({ text: "third" });
    expect(result.deletes.size).toBe(0);
    expect(result.taken).toBe(3);
  });

  it("leaves a late write out that a folded one has overtaken", () => {
    const { overlay } = fold(NO_OVERLAY, [entryOf(5, "a", { text: "fifth" })], {});
    const late = fold(overlay, [entryOf(4, "a")], {}, [writeId(5)]);
    expect(late).toMatchObject({ taken: 0, kept: new Set(["a"]), deletes: new Set() });
    expect(late.overlay.folded).toEqual([writeId(4), writeId(5)]);
  });

  it.each([
    ["changes a document that was put", { a: "changed" }],
    ["drops a document that was put", {}],
  ])("lets the source win where it %s", (_, source: Source) => {
    const { overlay } = fold(NO_OVERLAY, [entryOf(1, "a", { text: "new" })], { a: "old" });
    const result = fold(overlay, [], source, [writeId(1)]);
    expect(result).toMatchObject({ released: ["a"], kept: new Set(), deletes: new Set(), puts: new Map() });
    expect(result.overlay.entries).toEqual([{ id: "a", write: writeId(1), stands: "source", source: null }]);
    // And it does not come back, neither by its entry nor by the source's old record.
    const again = fold(result.overlay, [entryOf(1, "a", { text: "new" })], { a: "old" });
    expect(again).toMatchObject({ released: [], taken: 0, kept: new Set(), puts: new Map() });
  });

  it("lets the source win where it adds what was put or deleted without it", () => {
    const { overlay } = fold(NO_OVERLAY, [entryOf(1, "a", { text: "new" }), entryOf(2, "b")], {});
    const result = fold(overlay, [], { a: "own", b: "own" }, [writeId(1), writeId(2)]);
    expect(result.released).toEqual(["a", "b"]);
    expect(result.kept.size + result.deletes.size).toBe(0);
  });

  it("lets a new write win over a source that changed in the same run, and stand from then on", () => {
    const { overlay } = fold(NO_OVERLAY, [entryOf(1, "a", { text: "one" })], { a: "old" });
    const both = fold(overlay, [entryOf(2, "a", { text: "two" })], { a: "changed" }, [writeId(1)]);
    expect(both.puts.get("a")).toEqual({ text: "two" });
    expect(both.released).toEqual([]);
    expect(fold(both.overlay, [], { a: "changed" }, [writeId(2)]).kept).toEqual(new Set(["a"]));
  });

  it("forgets the watermark of a document that is the source's after 30 days, not before its entry is collected", () => {
    const days = (WATERMARK_MS + 1000) / 1000;
    const { overlay } = fold(NO_OVERLAY, [entryOf(1, "a", { text: "x" }), entryOf(1.5, "gone")], {
      a: "old",
    });
    const won = fold(overlay, [], { a: "changed" }, [writeId(1)]).overlay;
    const ids = (result: Fold) => result.overlay.entries.map(({ id }) => id);
    const other = (at: number) => entryOf(at, "z", { text: "later" });
    expect(ids(fold(won, [other(days - 10)], { a: "changed" }))).toEqual(["a", "gone", "z"]);
    // A to the millisecond 30 days old, which is not older.
    expect(ids(fold(won, [other(days)], { a: "changed" }))).toEqual(["a", "gone", "z"]);
    expect(ids(fold(won, [other(days + 10)], { a: "changed" }, [writeId(1)]))).toEqual(["a", "z"]);
    expect(ids(fold(won, [other(days + 10)], { a: "changed" }))).toEqual(["z"]);
  });

  it("never forgets what stands: a put, or a delete that hides a record of the source", () => {
    const { overlay } = fold(NO_OVERLAY, [entryOf(1, "a", { text: "x" }), entryOf(2, "b")], { b: "hidden" });
    const year = fold(overlay, [entryOf(400 * 86_400, "z", { text: "later" })], { b: "hidden" });
    expect(year.overlay.entries.map(({ id }) => id)).toEqual(["a", "b", "z"]);
  });

  it("lists as folded only what lies in the inbox and was read", () => {
    const { overlay } = fold(NO_OVERLAY, [entryOf(1, "a", { text: "x" }), entryOf(2, "b")], {});
    // A damaged entry is listed and was not read.
    const next = fold(overlay, [entryOf(3, "c")], {}, [writeId(2), writeId(9)]);
    expect(next.overlay.folded).toEqual([writeId(2), writeId(3)]);
  });

  it("leaves the overlay as it is where nothing is new, though entries are gone", () => {
    const { overlay } = fold(NO_OVERLAY, [entryOf(1, "a", { text: "x" }), entryOf(2, "b")], {});
    expect(fold(overlay, [], {}, [writeId(2)]).overlay).toBe(overlay);
    expect(fold(overlay, [], {}).overlay).toBe(overlay);
    expect(fold(overlay, [entryOf(1, "a", { text: "x" })], {}).overlay).toBe(overlay);
  });
});

/** A step in the life of an index, by small numbers. */
type Step =
  | { readonly kind: "write"; readonly id: string; readonly text: string | null }
  | { readonly kind: "source"; readonly id: string; readonly text: string | null }
  | { readonly kind: "fold"; readonly order: number; readonly hold: number; readonly twice: boolean }
  | { readonly kind: "collect" };

const id = fc.constantFrom("a", "b", "c");
const content = fc.option(fc.constantFrom("x", "y"), { nil: null });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("write" as const), id, text: content }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("source" as const), id, text: content }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("fold" as const),
      order: fc.nat(),
      hold: fc.nat(3),
      twice: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "collect" as const }) },
);

/** What the words in `fold.ts` say, told one document at a time and from the whole history. */
class Model {
  readonly #said = new Map<
    string,
    { write: WriteId; text: string | null; source: string | null; holds: boolean }
  >();

  /** A fold that sees these entries, with the source as it is now: what is shown after it. */
  fold(entries: readonly InboxEntry[], source: Source): Map<string, string> {
    for (const [id, said] of this.#said) if ((source[id] ?? null) !== said.source) said.holds = false;
    const found = new Map<string, InboxEntry>();
    for (const entry of entries) {
      if (entry.write > (found.get(entry.id)?.write ?? "")) found.set(entry.id, entry);
    }
    for (const [id, entry] of found) {
      if (entry.write <= (this.#said.get(id)?.write ?? "")) continue;
      const text = entry.op === "put" ? String(entry.fields.text) : null;
      this.#said.set(id, { write: entry.write, text, source: source[id] ?? null, holds: true });
    }
    const result = new Map(Object.entries(source));
    for (const [id, { text, holds }] of this.#said) {
      if (!holds) continue;
      if (text === null) result.delete(id);
      else result.set(id, text);
    }
    return result;
  }
}

describe("any history of writes, changes of the source and folds", () => {
  it("shows after each fold what the model shows, late, repeated and reordered entries included", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
        const model = new Model();
        let source: Record<string, string> = {};
        let inbox: InboxEntry[] = [];
        let overlay: Overlay = NO_OVERLAY;
        let before = new Map<string, string>();
        let number = 0;
        for (const step of steps) {
          if (step.kind === "write") {
            number++;
            // The text tells the write apart, so that one applied twice or out of turn is seen.
            inbox.push(
              entryOf(number, step.id, step.text === null ? undefined : { text: `${step.text}${number}` }),
            );
          } else if (step.kind === "source") {
            const { [step.id]: _, ...others } = source;
            source = step.text === null ? others : { ...others, [step.id]: step.text };
          } else if (step.kind === "collect") {
            const folded = new Set<string>(overlay.folded);
            inbox = inbox.filter(({ write }) => !folded.has(write));
          } else {
            // Some of the entries are not listed yet, and the others come in any order.
            const seen = inbox.filter((_, at) => (at * 7 + step.hold) % 4 !== 3 || step.hold === 0);
            seen.sort(
              (a, b) =>
                ((Number(a.write.slice(6, 13)) * 31 + step.order) % 17) -
                ((Number(b.write.slice(6, 13)) * 31 + step.order) % 17),
            );
            const entries = step.twice ? [...seen, ...seen] : seen;
            const folded = new Set<string>(overlay.folded);
            // As `readInbox` does: what is listed as folded is not read again.
            const unread = entries.filter(({ write }) => !folded.has(write));
            const listed = seen.map(({ write }) => write);
            const result = foldInbox(overlay, { entries: unread, listed }, digestsOf(source));
            const after = shown(before, source, result);
            expect(after).toEqual(model.fold(seen, source));
            overlay = unpackOverlay(packOverlay(result.overlay));
            expect(overlay).toEqual(result.overlay);
            before = after;
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
