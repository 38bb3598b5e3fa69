import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MsgpackValue, packValue, unpackValue } from "../../../shared/format/msgpack.ts";
import { refusalNow } from "./helpers.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }).filter((value) => value.isWellFormed()),
  fc.constantFrom(
    "",
    "\u0000",
    "\ufeffbom",
    "\uffff",
    "\u{10ffff}",
    "e\u0301",
    "x".repeat(31),
    "x".repeat(32),
    "é".repeat(70_000),
  ),
);
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  fc.constantFrom(
    0,
    -32,
    -33,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    2 ** 31,
    -(2 ** 31),
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53,
    5e-324,
  ),
);
const { value } = fc.letrec<{ value: MsgpackValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    number,
    text,
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(
      text.filter((key) => key !== "__proto__"),
      tie("value"),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
}));

/** Bytes written in hexadecimal. */
function hex(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

describe("MessagePack values", () => {
  it("come back equal", () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(unpackValue(packValue(given), "test")).toEqual(given);
      }),
      { numRuns: 500 },
    );
  });

  it("come back at every size of header", () => {
    for (const length of [15, 16, 65_535, 65_536]) {
      const list = Array.from({ length }, () => 1);
      expect(unpackValue(packValue(list), "test")).toEqual(list);
      const map = Object.fromEntries(list.map((one, at) => [`k${at}`, one]));
      expect(unpackValue(packValue(map), "test")).toEqual(map);
    }
  });

  it("never end in another error than a refusal, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(["none", "format/invalid"]).toContain(refusalNow(() => unpackValue(bytes, "test")));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ["nothing", ""],
    ["a value and a byte more", "c0c0"],
    ["a text cut short", "a561"],
    ["text that is not UTF-8", "a1ff"],
    ["an overlong encoding", "a2c080"],
    ["half a surrogate pair", "a3eda080"],
    ["a list of 4 billion", "ddffffffff"],
    ["a map of 4 billion", "dfffffffff"],
    ["a list with a cut length", "dc00"],
    ["a key that is a number", "8101c0"],
    ["the key __proto__", "81a95f5f70726f746f5f5fc0"],
    ["NaN", "cb7ff8000000000000"],
    ["infinity", "cb7ff0000000000000"],
    ["a float32", "ca3f800000"],
    ["a 64-bit integer", "cf0000000000000001"],
    ["bytes", "c40100"],
    ["the unused code", "c1"],
    ["a record definition", "d4724091a161"],
    ["a date", "d6ff00000000"],
    ["a typed array", "c7027400aa"],
    ["a reference", "d66900000000"],
  ])("refuse %s", (_, digits) => {
    expect(refusalNow(() => unpackValue(hex(digits), "test"))).toBe("format/invalid");
  });

  it("refuse nesting that would overflow the stack, in lists and in maps", () => {
    expect(refusalNow(() => unpackValue(new Uint8Array(1_000_000).fill(0x91), "test"))).toBe(
      "format/invalid",
    );
    expect(refusalNow(() => unpackValue(hex("81a161".repeat(100_000)), "test"))).toBe("format/invalid");
  });

  it("are not written when they would not come back", () => {
    const hostile: readonly unknown[] = [
      "\ud800",
      { "\udc00": 1 },
      JSON.parse('{"__proto__": 1}'),
      Number.NaN,
      Number.POSITIVE_INFINITY,
      undefined,
      [undefined],
      new Date(0),
      new Map([["a", 1]]),
      /a/,
      10n ** 17n,
      Uint8Array.of(1),
    ];
    for (const item of hostile) {
      expect(
        refusalNow(() => packValue(item as MsgpackValue)),
        String(item),
      ).toBe("format/invalid");
    }
    const loop: unknown[] = [];
    loop.push(loop);
    expect(refusalNow(() => packValue(loop as MsgpackValue))).toBe("format/invalid");
  });
});
