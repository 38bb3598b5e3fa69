import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blobKey, manifestKey, pointerKey } from "../../../shared/format/names.ts";
import { isSha256 } from "../../../shared/hash.ts";
import {
  checkIndexName,
  checkKey,
  checkPrefix,
  INDEX_NAME_LENGTH,
  isKey,
} from "../../../shared/store/keys.ts";
import { BAD_KEYS } from "../../contract/store-reads.ts";

describe("checkKey", () => {
  it.each(["a", "a/b", "a.b", "...", "a/.b", "-", "_", "0", "x".repeat(512)])("takes %j", (key) => {
    expect(() => checkKey(key)).not.toThrow();
  });

  it.each(BAD_KEYS)("refuses %j and shows it", (key) => {
    expect(isKey(key)).toBe(false);
    expect(() => checkKey(key)).toThrow(
      expect.objectContaining({
        code: "store/invalid-key",
        details: expect.objectContaining({ limit: 512 }),
      }),
    );
  });

  it("lets no key out of the folder it is appended to", () => {
    const piece = fc.constantFrom("a", ".", "..", "/", "-", "..a", "", "\\", "%2e");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const key = pieces.join("");
        if (!isKey(key)) return;
        expect(new URL(`http://store/root/${key}`).pathname).toBe(`/root/${key}`);
      }),
    );
  });

  it("takes every key that the format makes", () => {
    const digest = "0".repeat(64);
    if (!isSha256(digest)) throw new Error("not a digest");
    for (const key of [blobKey(digest), manifestKey("docs", digest), pointerKey("docs")]) checkKey(key);
  });
});

describe("checkPrefix", () => {
  it.each(["", "a", "a/", "a/b", "a/.", "a/.."])("takes %j", (prefix) => {
    expect(() => checkPrefix(prefix)).not.toThrow();
  });

  it("takes every beginning of every key", () => {
    const key = "indexes/docs/manifests/0a.json";
    for (let end = 0; end <= key.length; end += 1) checkPrefix(key.slice(0, end));
  });
});

describe("checkIndexName", () => {
  it.each(["a", "0", "docs", "my-docs_2", "x".repeat(INDEX_NAME_LENGTH)])("takes %j", (name) => {
    expect(() => checkIndexName(name)).not.toThrow();
  });

  it.each([
    "",
    "-a",
    "_a",
    "A",
    "a/b",
    "a.b",
    "..",
    "a b",
    "\u00e9",
    "a\n",
    "x".repeat(INDEX_NAME_LENGTH + 1),
  ])("refuses %j and names the field, the value and the limit", (name) => {
    const details = { field: "index", limit: INDEX_NAME_LENGTH, value: expect.any(String) };
    expect(() => checkIndexName(name)).toThrow(expect.objectContaining({ code: "request/invalid", details }));
  });
});
