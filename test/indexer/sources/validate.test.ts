import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documentFromFields } from "../../../indexer/sources/named-fields.ts";
import { checkedDocument, rejected } from "../../../indexer/sources/validate.ts";
import { checkedId } from "../../../shared/document-rules.ts";
import { DOCUMENT_LIMITS } from "../../../shared/limits.ts";

describe("checkedId", () => {
  it("takes any well-formed text of 1 to 512 bytes without control characters as it is", () => {
    const id = fc.oneof(
      fc.constantFrom(
        "__proto__",
        "constructor",
        "../../etc/passwd",
        "a/b",
        "e\u0301",
        "\u00e9",
        "\u{1f600}".repeat(128),
      ),
      fc
        .string({ unit: "binary" })
        .filter((text) => text !== "" && Buffer.byteLength(text) <= 512 && !/\p{Cc}/u.test(text)),
    );
    fc.assert(
      fc.property(id, (text) => {
        expect(checkedId(text)).toBe(text);
      }),
    );
  });

  it.each([
    ["missing", undefined],
    ["missing", null],
    ["empty", ""],
    ["surrogate", "a\ud800"],
    ["surrogate", "\udc00a"],
    ["control", "a\u0000b"],
    ["control", "line\n"],
    ["control", "\u0085"],
    ["513 bytes", `${"\u00e9".repeat(256)}x`],
    ["must be a string", 1.5],
    ["must be a string", 2 ** 53],
    ["must be a string", true],
    ["must be a string", ["a"]],
  ])("refuses one that is %s: %j", (reason, id) => {
    expect(() => checkedId(id)).toThrow(reason);
  });

  it("writes a whole number as its digits", () => {
    expect(checkedId(-12)).toBe("-12");
  });
});

describe("checkedDocument", () => {
  it("keeps scalars and lists of scalars in an object without a prototype", () => {
    const entries = [
      ["title", "T"],
      ["n", 1.5],
      ["ok", true],
      ["none", null],
      ["tags", ["a", 2, false]],
    ] as const;
    const { fields } = checkedDocument("d", entries);
    expect(Object.getPrototypeOf(fields)).toBeNull();
    expect({ ...fields }).toEqual(Object.fromEntries(entries));
  });

  it("leaves out a null title or text", () => {
    expect(
      Object.keys(
        checkedDocument("d", [
          ["title", null],
          ["text", null],
        ]).fields,
      ),
    ).toEqual([]);
  });

  it.each<[string, string, unknown]>([
    ["must not be named", "__proto__", 1],
    ["must not be named", "constructor", 1],
    ["must not be named", "prototype", 1],
    ["empty name", "", 1],
    ["surrogate", "\ud800", 1],
    ["control", "a\u0000", 1],
    ["surrogate", "a", "\ud800"],
    ["surrogate", "a", ["ok", "\udfff"]],
    ["scalar", "a", { b: 1 }],
    ["scalar", "a", [[1]]],
    ["scalar", "a", [null]],
    ["range of doubles", "a", Number.POSITIVE_INFINITY],
    ["must be a string", "text", 5],
    ["must be a string", "title", ["a"]],
  ])("refuses with '%s' the field %j: %j", (reason, name, value) => {
    expect(() => checkedDocument("d", [[name, value]])).toThrow(reason);
  });

  it("refuses more fields and more bytes than the limits", () => {
    const many = Array.from({ length: DOCUMENT_LIMITS.fields + 1 }, (_, i) => [`f${i}`, i] as const);
    expect(() => checkedDocument("d", many)).toThrow("65 fields");
    expect(checkedDocument("d", many.slice(1)).id).toBe("d");
    const fits = "\u00e9".repeat((DOCUMENT_LIMITS.documentBytes - 6) / 2);
    expect(checkedDocument("d", [["text", fits]]).fields.text).toBe(fits);
    expect(() => checkedDocument("d", [["text", `${fits}\u00e9`]])).toThrow("are allowed");
  });

  it("names file and line in a rejection, in the message and as data", () => {
    const { reason } = rejected({ file: "a.jsonl", line: 7 }, new SyntaxError("bad"));
    expect(reason).toMatchObject({
      code: "source/invalid",
      message: "a.jsonl:7: bad",
      details: { file: "a.jsonl", line: 7 },
    });
  });
});

describe("documentFromFields", () => {
  it("finds id, title and text by their usual names and keeps the rest", () => {
    const document = documentFromFields(
      [
        ["_id", 7],
        ["name", "N"],
        ["body", "B"],
        ["content", "C"],
      ],
      {},
    );
    expect(document).toMatchObject({ id: "7", fields: { title: "N", text: "B", content: "C" } });
    expect(Object.keys(document.fields)).toHaveLength(3);
  });

  it("passes over a null where another name has a value", () => {
    expect(
      documentFromFields(
        [
          ["id", "d"],
          ["text", null],
          ["body", "B"],
        ],
        {},
      ).fields.original_text,
    ).toBeNull();
  });

  it("keeps a field whose name was needed under another name", () => {
    const { id, fields } = documentFromFields(
      [
        ["sku", "s"],
        ["id", "d"],
        ["text", "T"],
        ["summary", "S"],
      ],
      {
        idField: "sku",
        textField: "summary",
      },
    );
    expect(id).toBe("s");
    expect({ ...fields }).toEqual({ id: "d", text: "S", original_text: "T" });
  });

  it("refuses a record without the field named as its text", () => {
    expect(() =>
      documentFromFields(
        [
          ["id", "d"],
          ["text", "T"],
        ],
        { textField: "txt" },
      ),
    ).toThrow("no field txt");
  });
});
