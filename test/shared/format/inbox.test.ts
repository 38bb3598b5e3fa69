import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type InboxEntry, parseInboxEntry, serializeInboxEntry } from "../../../shared/format/inbox.ts";
import { isWriteId, writeOfKey } from "../../../shared/format/names.ts";
import { canonicalJson, sha256 } from "../../../shared/hash.ts";
import { INBOX_LIMITS } from "../../../shared/limits.ts";
import { entryOf, writeId } from "../../helpers/writes.ts";
import { flipped, refusal } from "./helpers.ts";

const PUT = entryOf(1, "a/b", { title: "T", text: "Some text.", n: 1.5, tags: ["x", 2, true], none: null });
const DELETE = entryOf(2, "\u00e9");

const parse = (bytes: Uint8Array, entry: InboxEntry) => parseInboxEntry(bytes, entry.index, entry.write);
const encode = (value: unknown) => new TextEncoder().encode(canonicalJson(value));
/** Bytes that say this, with the digest of it. */
const sealed = async (content: object) =>
  encode({ ...content, sha256: await sha256(canonicalJson(content)) });

describe("an entry of the inbox", () => {
  it.each([PUT, DELETE])("comes back as it was written: %j", async (entry) => {
    expect(await parse(await serializeInboxEntry(entry), entry)).toEqual(entry);
  });

  it("is refused under a name that is none, though its digest is right", async () => {
    for (const write of ["1700000000000-00000000000000zz", "x".repeat(30)]) {
      const bytes = await sealed({ ...DELETE, format: 1, write });
      expect(await refusal(async () => parse(bytes, DELETE))).toBe("format/invalid");
    }
  });

  it("comes back whatever a document may hold", async () => {
    const scalar = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
    );
    const names = fc
      .string({ minLength: 1, maxLength: 8 })
      .filter((name) => !["title", "text"].includes(name));
    const fields = fc.dictionary(
      names,
      fc.oneof(scalar, fc.constant(null), fc.array(scalar, { maxLength: 4 })),
      { maxKeys: 6 },
    );
    await fc.assert(
      fc.asyncProperty(fields, async (fields) => {
        const entry = entryOf(1, "a", fields);
        const back = await parse(await serializeInboxEntry(entry), entry);
        // JSON has one zero.
        expect(back).toEqual(JSON.parse(JSON.stringify(entry)));
      }),
      { numRuns: 200 },
    );
  });

  it.each([PUT, DELETE])(
    "is refused for every bit that may be turned over and every length it may be cut to: %j",
    async (entry) => {
      const bytes = await serializeInboxEntry(entry);
      for (let bit = 0; bit < 8 * bytes.length; bit++)
        expect(["blob/corrupt", "format/invalid"]).toContain(
          await refusal(() => parse(flipped(bytes, bit), entry)),
        );
      for (let length = 0; length < bytes.length; length++)
        expect(await refusal(() => parse(bytes.slice(0, length), entry))).toBe("blob/corrupt");
    },
  );

  it("is refused under another key or in another index", async () => {
    const bytes = await serializeInboxEntry(PUT);
    expect(await refusal(() => parseInboxEntry(bytes, "docs", writeId(9)))).toBe("format/invalid");
    expect(await refusal(() => parseInboxEntry(bytes, "blog", PUT.write))).toBe("format/invalid");
  });

  it("of a newer format is told from a damaged one", async () => {
    const newer = { ...PUT, format: 2, shade: "blue" };
    expect(await refusal(async () => parse(await sealed(newer), PUT))).toBe("format/unsupported");
    const grown = { ...PUT, format: 1, shade: "blue" };
    expect(await refusal(async () => parse(await sealed(grown), PUT))).toBe("format/unsupported");
  });

  it.each<[string, object]>([
    ["a put without fields", { ...DELETE, op: "put" }],
    ["a delete with fields", { ...PUT, op: "delete" }],
    ["another operation", { ...DELETE, op: "patch" }],
    ["an id with a control character", { ...DELETE, id: "a\n" }],
    ["a field that is an object", { ...PUT, fields: { a: {} } }],
    ["fields that are a list", { ...PUT, fields: [] }],
    ["a write of another form", { ...DELETE, write: "1-2" }],
    ["an index of another form", { ...DELETE, index: "A" }],
    ["an older format", { ...DELETE, format: 0 }],
  ])("is refused with %s, though its digest is right", async (_, content) => {
    const bytes = await sealed({ format: 1, ...content });
    expect(await refusal(() => parseInboxEntry(bytes, PUT.index, PUT.write))).toBe("format/invalid");
  });

  it("is refused in any spelling but its own", async () => {
    const bytes = await serializeInboxEntry(PUT);
    const spaced = new TextEncoder().encode(new TextDecoder().decode(bytes).replace(",", ", "));
    expect(await refusal(() => parse(spaced, PUT))).toBe("format/invalid");
  });

  it("is refused above its limit, before it is written and before it is parsed", async () => {
    // Each of these takes six bytes of JSON and one of the document.
    const big = entryOf(1, "a", { text: "\u0001".repeat(INBOX_LIMITS.entryBytes / 6) });
    expect(await refusal(() => serializeInboxEntry(big))).toBe("request/too-large");
    expect(await refusal(() => parse(new Uint8Array(INBOX_LIMITS.entryBytes + 1), PUT))).toBe(
      "format/invalid",
    );
  });

  it("of which the document breaks a rule is not written", async () => {
    expect(await refusal(() => serializeInboxEntry(entryOf(1, "", {})))).toBe("format/invalid");
  });
});

describe("the name of a write", () => {
  it("is in its key, and no other key has one", () => {
    expect(writeOfKey("docs", `indexes/docs/inbox/${writeId(1)}.json`)).toBe(writeId(1));
    expect(writeOfKey("docs", `indexes/docs/inbox/${writeId(1)}`)).toBeNull();
    expect(writeOfKey("docs", `indexes/blog/inbox/${writeId(1)}.json`)).toBeNull();
    expect(writeOfKey("docs", "indexes/docs/inbox/note.json")).toBeNull();
    expect(isWriteId(`${writeId(1)}0`)).toBe(false);
  });
});
