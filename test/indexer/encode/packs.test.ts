import { createHash } from "node:crypto";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { KEY_BYTES, PACK_BYTES, Packs } from "../../../indexer/encode/packs.ts";

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  made.push(mkdtempSync(join(tmpdir(), "lightedge-packs-")));
  return made.at(-1)!;
}

const keyOf = (name: string) => createHash("sha256").update(name).digest().subarray(0, KEY_BYTES);
const recordOf = (name: string, value: string) => ({ key: keyOf(name), value: Buffer.from(value) });
const packsIn = (folder: string) => readdirSync(folder).map((name) => join(folder, name));

/** Does this with an opened folder and closes it. */
function using<T>(folder: string, work: (packs: Packs) => T): T {
  const packs = new Packs(folder);
  try {
    return work(packs);
  } finally {
    packs.close();
  }
}

/** What a folder holds under names, opened anew. */
function valuesIn(folder: string, names: readonly string[]): (string | null)[] {
  return using(folder, (packs) => names.map((name) => packs.get(keyOf(name))?.toString() ?? null));
}

const NAMES = ["a", "b", "c"];
const VALUES = ["value of a", "", "value of c, longer"];

/** A folder with one pack of three records, one of them empty. */
function threeRecords(): { readonly folder: string; readonly pack: string; readonly bytes: Buffer } {
  const folder = newFolder();
  using(folder, (packs) => packs.put(NAMES.map((name, at) => recordOf(name, VALUES[at]!))));
  const [pack] = packsIn(folder);
  return { folder, pack: pack!, bytes: readFileSync(pack!) };
}

describe("a folder of packs", () => {
  it("holds what a map would, over any order of writing and opening again", () => {
    const name = fc.constantFrom("a", "b", "c", "d", "e", "f");
    const step = fc.oneof(
      fc.record({ put: fc.uniqueArray(fc.tuple(name, fc.string()), { selector: ([key]) => key }) }),
      fc.constant("open again" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const folder = newFolder();
        const map = new Map<string, string>();
        let packs = new Packs(folder);
        for (const done of steps) {
          if (done === "open again") {
            packs.close();
            packs = new Packs(folder);
          } else {
            // A key says what its value is, so no two values share one.
            const fresh = done.put.filter(([key]) => !map.has(key));
            packs.put(fresh.map(([key, value]) => recordOf(key, value)));
            for (const [key, value] of fresh) map.set(key, value);
          }
          for (const key of "abcdefg")
            expect(packs.get(keyOf(key))?.toString("utf8") ?? null).toBe(map.get(key) ?? null);
        }
        packs.close();
      }),
      { numRuns: 60 },
    );
  });

  it("gets no file for nothing written", () => {
    const folder = newFolder();
    using(folder, (packs) => packs.put([]));
    expect(readdirSync(folder)).toEqual([]);
  });

  it("shares no file between writers that are open at once, and a later one reads both", () => {
    const folder = newFolder();
    const [first, second] = [new Packs(folder), new Packs(folder)];
    for (let i = 0; i < 50; i++) {
      first.put([recordOf(`first ${i}`, `1:${i}`)]);
      second.put([recordOf(`second ${i}`, `2:${i}`), recordOf(`both ${i}`, `${i}`)]);
      first.put([recordOf(`both ${i}`, `${i}`)]);
    }
    first.close();
    second.close();
    expect(readdirSync(folder).length).toBe(2);
    for (let i = 0; i < 50; i++)
      expect(valuesIn(folder, [`first ${i}`, `second ${i}`, `both ${i}`])).toEqual([
        `1:${i}`,
        `2:${i}`,
        `${i}`,
      ]);
  });

  it("looks at nothing that is not called a pack", () => {
    const { folder } = threeRecords();
    writeFileSync(join(folder, "notes.txt"), Buffer.alloc(100, 1));
    expect(valuesIn(folder, NAMES)).toEqual(VALUES);
  });

  it("begins another file before one grows too long to be read whole", () => {
    const folder = newFolder();
    const large = { key: keyOf("large"), value: Buffer.alloc(PACK_BYTES, 7) };
    using(folder, (packs) => {
      packs.put([large]);
      packs.put([recordOf("next", "1")]);
      packs.put([recordOf("after", "2")]);
    });
    const sizes = packsIn(folder).map((path) => statSync(path).size);
    expect(sizes.length).toBe(2);
    expect(Math.min(...sizes)).toBeLessThan(100);
    using(folder, (packs) => expect(packs.get(large.key)?.equals(large.value)).toBe(true));
    expect(valuesIn(folder, ["next", "after"])).toEqual(["1", "2"]);
  });
});

describe("a damaged pack", () => {
  it("with any bit of a record flipped gives that record's true value or none, and the others as before", () => {
    const { folder, pack, bytes } = threeRecords();
    const record = 24 + VALUES[0]!.length;
    for (let bit = 0; bit < 8 * record; bit++) {
      const damaged = Buffer.from(bytes);
      const byte = bit >> 3;
      damaged[byte]! ^= 1 << (bit & 7);
      writeFileSync(pack, damaged);
      const [first, ...others] = valuesIn(folder, NAMES);
      expect(first, `bit ${bit}`).toBeNull();
      // A wrong length may hide what is behind it, and never changes it.
      const hiding = byte >= KEY_BYTES && byte < KEY_BYTES + 4;
      others.forEach((value, at) => {
        const allowed = hiding ? [VALUES[at + 1], null] : [VALUES[at + 1]];
        expect(allowed, `bit ${bit}`).toContain(value);
      });
    }
  });

  it("cut off at any byte keeps the records before the cut", () => {
    const { folder, pack, bytes } = threeRecords();
    const ends = [24 + 10, 24 + 10 + 24, bytes.length];
    for (let length = bytes.length - 1; length >= 0; length--) {
      truncateSync(pack, length);
      expect(valuesIn(folder, NAMES)).toEqual(
        VALUES.map((value, at) => (ends[at]! <= length ? value : null)),
      );
    }
  });

  it("with a tail of zeros, as a machine that lost power leaves it, keeps what is before them", () => {
    const { folder, pack } = threeRecords();
    appendFileSync(pack, Buffer.alloc(500));
    expect(valuesIn(folder, NAMES)).toEqual(VALUES);
    using(folder, (packs) => expect(packs.get(Buffer.alloc(KEY_BYTES))).toBeNull());
  });

  it("is noticed when it is damaged after it was opened", () => {
    const { folder, pack, bytes } = threeRecords();
    using(folder, (packs) => {
      expect(packs.get(keyOf("c"))?.toString()).toBe(VALUES[2]);
      const damaged = Buffer.from(bytes);
      damaged[bytes.length - 1]! ^= 0x20;
      writeFileSync(pack, damaged);
      expect(packs.get(keyOf("c"))).toBeNull();
      expect(packs.get(keyOf("a"))?.toString()).toBe(VALUES[0]);
      truncateSync(pack, 30);
      expect(packs.get(keyOf("a"))).toBeNull();
    });
  });

  it("does not hide a record that was written again into another, whichever is read first", () => {
    for (const name of ["0.pack", "z.pack"]) {
      const { folder, pack, bytes } = threeRecords();
      const damaged = Buffer.from(bytes);
      damaged[30]! ^= 1;
      rmSync(pack);
      writeFileSync(join(folder, name), damaged);
      using(folder, (packs) => packs.put([recordOf("a", VALUES[0]!)]));
      expect(readdirSync(folder).length).toBe(2);
      expect(valuesIn(folder, NAMES)).toEqual(VALUES);
    }
  });
});
