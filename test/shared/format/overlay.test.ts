import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEnvelope, parseEnvelope, writeEnvelope } from "../../../shared/format/envelope.ts";
import { compareIds } from "../../../shared/format/ids.ts";
import type { WriteId } from "../../../shared/format/names.ts";
import {
  isListedAsFolded,
  NO_OVERLAY,
  type Overlay,
  type OverlayFile,
  overlayEntry,
  packOverlay,
  readOverlay,
  someFolded,
  unpackOverlay,
  writeOverlay,
} from "../../../shared/format/overlay.ts";
import { OVERLAY, writeId } from "../../helpers/writes.ts";
import { flipped, refusal } from "./helpers.ts";

async function file(overlay: Overlay): Promise<OverlayFile> {
  const { bytes } = await writeOverlay(overlay);
  return readOverlay(parseEnvelope(bytes, "overlay"));
}

const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
const anyWrite = fc
  .tuple(fc.nat(9_999_999_999_999), hex(16))
  .map(([time, random]) => `${String(time).padStart(13, "0")}-${random}` as WriteId);
const anyId = fc
  .string({ unit: "binary", minLength: 1, maxLength: 20 })
  .filter((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));
const anyEntry = fc.oneof(
  fc.record({
    id: anyId,
    write: anyWrite,
    stands: fc.constant("source" as const),
    source: fc.constant(null),
  }),
  fc.record({
    id: anyId,
    write: anyWrite,
    stands: fc.constantFrom("put" as const, "delete" as const),
    source: fc.option(hex(32), { nil: null }),
  }),
);
const anyOverlay: fc.Arbitrary<Overlay> = fc.record({
  entries: fc
    .uniqueArray(anyEntry, { selector: ({ id }) => id, maxLength: 30 })
    .map((entries) => entries.sort((a, b) => compareIds(a.id, b.id))),
  folded: fc.uniqueArray(anyWrite, { maxLength: 30 }).map((writes) => writes.sort()),
});

describe("the folded writes of an overlay", () => {
  it("are found by their random digits, and others are not", async () => {
    const overlay = await file(OVERLAY);
    expect(someFolded(overlay, "000000000000ffff")).toBe(writeId(2, 0xffff));
    expect(someFolded(overlay, "00000000000000aa")).toBeUndefined();
  });
});

describe("an overlay", () => {
  it("comes back as it was written", async () => {
    await fc.assert(
      fc.asyncProperty(anyOverlay, async (overlay) => {
        expect(unpackOverlay(await file(overlay))).toEqual(overlay);
      }),
      { numRuns: 200 },
    );
  });

  it("may be empty", async () => {
    expect(unpackOverlay(await file(NO_OVERLAY))).toEqual(NO_OVERLAY);
  });

  it("finds a document's entry and a folded write, and nothing else", async () => {
    const stored = await file(OVERLAY);
    for (const entry of OVERLAY.entries) expect(overlayEntry(stored, entry.id)).toEqual(entry);
    expect(overlayEntry(stored, "nobody")).toBeNull();
    for (const write of OVERLAY.folded) expect(isListedAsFolded(stored, write)).toBe(true);
    expect(isListedAsFolded(stored, writeId(77))).toBe(false);
    expect(isListedAsFolded(packOverlay(NO_OVERLAY), writeId(1))).toBe(false);
  });

  it("is refused for every single bit that may be turned over, and for every length it may be cut to", async () => {
    const { bytes, sha256, head } = await writeOverlay(OVERLAY);
    const open = async (damaged: Uint8Array<ArrayBuffer>) =>
      readOverlay(await openEnvelope(damaged, { kind: "overlay", sha256, head }));
    for (let bit = 0; bit < 8 * bytes.length; bit++)
      expect(await refusal(() => open(flipped(bytes, bit)))).toBe("blob/corrupt");
    for (let length = 0; length < bytes.length; length++)
      expect(await refusal(() => open(bytes.slice(0, length)))).toBe("blob/corrupt");
  });

  it("is refused by its writer where a rule is broken", async () => {
    const [first, second] = OVERLAY.entries;
    const broken: Readonly<Record<string, Overlay>> = {
      "an id twice": { ...OVERLAY, entries: [first!, first!] },
      "ids out of order": { ...OVERLAY, entries: [second!, first!] },
      "an empty id": { ...OVERLAY, entries: [{ ...first!, id: "" }] },
      "a digest for what is the source's": {
        ...OVERLAY,
        entries: [{ ...first!, stands: "source", source: "ab".repeat(16) }],
      },
      "a write twice": { ...OVERLAY, folded: [writeId(1), writeId(1)] },
      "writes out of order": { ...OVERLAY, folded: [writeId(2), writeId(1)] },
    };
    for (const [why, overlay] of Object.entries(broken)) {
      expect(await refusal(() => writeOverlay(overlay)), why).toBe("format/invalid");
    }
  });

  it("is refused by its reader where its bytes break a rule", async () => {
    const good = packOverlay(OVERLAY);
    const time = good.writes.slice();
    time.fill(0xff, 0, 8);
    const sources = good.sources.slice();
    sources[OVERLAY.entries.findIndex(({ source }) => source === null) * 16] = 1;
    const broken: Readonly<Record<string, Partial<OverlayFile>>> = {
      "a time of 20 digits": { writes: time },
      "a state there is none of": { states: Uint8Array.from(good.states, () => 5) },
      "a digest of no record": { sources },
      "an entry short": { meta: { ...good.meta, entries: good.meta.entries - 1 } },
      "a list too long": { meta: { ...good.meta, folded: good.meta.folded + 1 } },
      "a time of 20 digits in the list": { folded: Uint8Array.from(good.folded, () => 0xff) },
    };
    for (const [why, change] of Object.entries(broken)) {
      const { meta, ids, idStarts, writes, states, sources, folded } = { ...good, ...change };
      const { bytes } = await writeEnvelope("overlay", { ...meta }, [
        { name: "ids", bytes: ids },
        { name: "id_starts", bytes: new Uint8Array(idStarts.buffer) },
        { name: "writes", bytes: writes },
        { name: "states", bytes: states },
        { name: "sources", bytes: sources },
        { name: "folded", bytes: folded },
      ]);
      const read = async () => readOverlay(parseEnvelope(bytes, "overlay"));
      expect(await refusal(read), why).toBe("format/invalid");
    }
  });
});
