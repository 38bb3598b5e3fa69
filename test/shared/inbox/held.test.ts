import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { InboxEntry } from "../../../shared/format/inbox.ts";
import { NO_OVERLAY, packOverlay } from "../../../shared/format/overlay.ts";
import { foldInbox } from "../../../shared/inbox/fold.ts";
import { isHeld } from "../../../shared/inbox/held.ts";
import { entryOf, OVERLAY, writeId } from "../../helpers/writes.ts";

describe("what a version holds", () => {
  it("is nothing where nobody wrote to it", () => {
    expect(isHeld(null, entryOf(1, "a"))).toBe(false);
    expect(isHeld(packOverlay(NO_OVERLAY), entryOf(1, "a"))).toBe(false);
  });

  it("is what it lists, and what is not above its document's watermark", () => {
    const file = packOverlay(OVERLAY);
    // Listed, whatever document it is of.
    expect(isHeld(file, { ...entryOf(3, "another"), write: writeId(3) })).toBe(true);
    // The watermark itself, which the list does not have any more.
    expect(isHeld(file, entryOf(1, "edge/put-over"))).toBe(true);
    expect(isHeld(file, entryOf(0, "edge/put-over"))).toBe(true);
    expect(isHeld(file, entryOf(1.5, "edge/put-over"))).toBe(false);
    expect(isHeld(file, entryOf(1, "another"))).toBe(false);
  });

  it("is what folding takes in nothing of", () => {
    const entry = fc
      .tuple(fc.nat(12), fc.constantFrom("a", "b"))
      .map(([number, id]): InboxEntry => entryOf(number, id, { text: String(number) }));
    fc.assert(
      fc.property(
        fc.uniqueArray(entry, { selector: ({ write }) => write, maxLength: 8 }),
        entry,
        (folded, one) => {
          const none = () => null;
          const listed = folded.map(({ write }) => write);
          const { overlay } = foldInbox(NO_OVERLAY, { entries: folded, listed }, none);
          const again = foldInbox(overlay, { entries: [one], listed: [one.write] }, none);
          // An entry under a name that is taken is that entry.
          fc.pre(folded.every(({ write, id }) => write !== one.write || id === one.id));
          expect(isHeld(packOverlay(overlay), one)).toBe(again.taken === 0);
        },
      ),
    );
  });
});
