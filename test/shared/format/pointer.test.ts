import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Pointer, parsePointer, serializePointer, withCheck } from "../../../shared/format/pointer.ts";
import { canonicalJson, sha256 } from "../../../shared/hash.ts";
import { FORMAT_LIMITS } from "../../../shared/limits.ts";
import { bytes } from "../../contract/store-reads.ts";

const digest = await sha256("manifest");
const pointer: Pointer = {
  format: 1,
  seq: 7,
  commit_id: "0123456789abcdef0123456789abcdef",
  parent: await sha256("before"),
  manifest: { key: `indexes/docs/manifests/${digest}.json`, sha256: digest, bytes: 8 },
};

const invalid = expect.objectContaining({ code: "format/invalid" });
const unsupported = expect.objectContaining({ code: "format/unsupported" });
const parse = (value: unknown) => parsePointer(bytes(JSON.stringify(value)), "docs");

describe("parsePointer", () => {
  it("reads what was written", () => {
    expect(parsePointer(serializePointer(pointer), "docs")).toEqual(pointer);
    const first = { ...pointer, seq: 1, parent: null };
    expect(parsePointer(serializePointer(first), "docs")).toEqual(first);
  });

  it.each([
    ["a seq of 0", { seq: 0 }],
    ["a fractional seq", { seq: 1.5 }],
    ["a seq that is text", { seq: "7" }],
    ["a seq past the safe integers", { seq: 2 ** 53 }],
    ["a short commit id", { commit_id: "0123" }],
    ["a commit id in upper case", { commit_id: pointer.commit_id.toUpperCase() }],
    ["a commit id with a line end", { commit_id: `${pointer.commit_id.slice(1)}\n` }],
    ["a parent that is no digest", { parent: "x" }],
    ["no parent", { parent: undefined }],
    ["no manifest", { manifest: undefined }],
    ["a manifest that is a list", { manifest: [] }],
    ["a manifest of no bytes", { manifest: { ...pointer.manifest, bytes: 0 } }],
    [
      "a manifest past the limit",
      { manifest: { ...pointer.manifest, bytes: FORMAT_LIMITS.manifestBytes + 1 } },
    ],
    ["a digest that does not fit the key", { manifest: { ...pointer.manifest, sha256: pointer.parent } }],
    ["a key that leads elsewhere", { manifest: { ...pointer.manifest, key: `blobs/${digest}` } }],
    ["a format of 0", { format: 0 }],
    ["a format that is text", { format: "1" }],
    ["no format", { format: undefined }],
  ])("refuses %s", (_case, change) => {
    expect(() => parse({ ...pointer, ...change })).toThrow(invalid);
  });

  it("refuses the pointer of another index", () => {
    expect(() => parsePointer(serializePointer(pointer), "other")).toThrow(invalid);
  });

  it("tells a newer format and a field it does not know from damage", () => {
    expect(() => parse({ format: 2, anything: true })).toThrow(unsupported);
    expect(() => parse({ ...pointer, extra: 1 })).toThrow(unsupported);
  });

  it.each(["", "null", "7", "[]", "{", '"x"', "\ufeff{}"])("refuses the text %j", (text) => {
    expect(() => parsePointer(bytes(text), "docs")).toThrow(invalid);
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(() => parsePointer(Uint8Array.of(0x22, 0xff, 0x22), "docs")).toThrow(invalid);
  });

  it("refuses a file past the limit before it parses it, and takes one at the limit", () => {
    const body = serializePointer(pointer);
    const padded = (length: number) => bytes(new TextDecoder().decode(body).padEnd(length));
    expect(parsePointer(padded(FORMAT_LIMITS.pointerBytes), "docs")).toEqual(pointer);
    expect(() => parsePointer(padded(FORMAT_LIMITS.pointerBytes + 1), "docs")).toThrow(invalid);
  });

  it("takes a check that is right, and refuses any other", () => {
    const checked = withCheck(pointer);
    expect(parsePointer(serializePointer(checked), "docs")).toEqual(checked);
    // What `zlib.crc32` gives for the fields in canonical JSON.
    expect(checked.check).toBe(crc32(canonicalJson(pointer)).toString(16).padStart(8, "0"));
    expect(() => parse({ ...checked, seq: 8 })).toThrow(invalid);
    expect(() => parse({ ...checked, check: "0123456" })).toThrow(invalid);
    expect(() => parse({ ...checked, check: checked.check?.toUpperCase() })).toThrow(invalid);
  });

  it("gives an error for every flipped bit and every truncation", () => {
    const body = serializePointer(withCheck(pointer));
    const readable = (damaged: Uint8Array) => {
      try {
        return parsePointer(damaged, "docs");
      } catch (error) {
        expect(error).toHaveProperty("code", expect.stringMatching(/^format\//));
        return null;
      }
    };
    for (let bit = 0; bit < body.length * 8; bit += 1) {
      const damaged = body.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(readable(damaged)).toBeNull();
    }
    // Without the final line end the text is still whole.
    for (let end = 0; end < body.length - 1; end += 1) expect(readable(body.subarray(0, end))).toBeNull();
  });
});
