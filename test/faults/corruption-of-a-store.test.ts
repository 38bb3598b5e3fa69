/**
 * A small store with one object damaged, gone, or in the place of another. Here a sample of what
 * bench/faults/flips.ts does without leaving anything out.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../indexer/random.ts";
import { type Answers, ask, judge, lengthsOf, smallStore, takenFrom } from "../sim/corruption.ts";
import { flipped, type Objects, replaced } from "../sim/objects.ts";

const FLIPS = 400;
const LENGTHS = 200;

let whole: Objects;
let right: Answers;
beforeAll(async () => {
  whole = await smallStore();
  right = await ask(whole);
});

/** Judges stores that each differ from the whole one; gives what was not met as it must be. */
async function missed(damages: Iterable<readonly [what: string, damaged: Objects]>): Promise<string[]> {
  const found: string[] = [];
  for (const [what, damaged] of damages) {
    for (const wrong of await judge(damaged, right)) found.push(`${what}: ${wrong}`);
  }
  return found;
}

/** A body of the store with its key, every byte of the store as likely as the next. */
function pickByte(random: Random): { key: string; body: Uint8Array<ArrayBuffer>; at: number } {
  let at = random.below([...whole.values()].reduce((sum, { length }) => sum + length, 0));
  for (const [key, body] of whole) {
    if (at < body.length) return { key, body, at };
    at -= body.length;
  }
  throw new Error("The store is smaller than it was.");
}

describe("a whole store", () => {
  it("has an object of every kind, answers, and is found sound", async () => {
    const kinds = [...whole.keys()].map((key) => key.replaceAll(/[0-9a-f]{16,}|\d{13}/gu, "*")).sort();
    expect([...new Set(kinds)]).toEqual([
      "blobs/*",
      "gc/clock.json",
      "indexes/tiny/current.json",
      "indexes/tiny/inbox/*-*.json",
      "indexes/tiny/manifests/*.json",
      "registry.json",
    ]);
    expect(kinds.filter((kind) => kind === "blobs/*").length).toBe(9);
    expect(await judge(whole, right)).toEqual(["is sound by the check"]);
    expect(right.length).toBeGreaterThan(5);
    expect(new Set(right).size).toBe(right.length);
  });
});

describe("a store with one object damaged", () => {
  it(`answers rightly or not at all, and says so, for ${FLIPS} flipped bits`, async () => {
    const random = new Random(1);
    const damages = Array.from({ length: FLIPS }, () => {
      const { key, body, at } = pickByte(random);
      const bit = 8 * at + random.below(8);
      return [`bit ${bit} of ${key}`, replaced(whole, key, flipped(body, bit))] as const;
    });
    expect(await missed(damages)).toEqual([]);
  });

  it(`answers rightly or not at all, and says so, for ${LENGTHS} shorter lengths and one longer of each`, async () => {
    const random = new Random(2);
    const shorter = Array.from({ length: LENGTHS }, () => {
      const { key, body, at } = pickByte(random);
      const length = Math.min(at, lengthsOf(key, body) - 1);
      return [`${length} bytes of ${key}`, replaced(whole, key, body.slice(0, length))] as const;
    });
    const longer = Array.from(whole, ([key, body]) => {
      const more = new Uint8Array(body.length + 1);
      more.set(body);
      return [`a byte more of ${key}`, replaced(whole, key, more)] as const;
    });
    expect(await missed([...shorter, ...longer])).toEqual([]);
  });

  it("answers rightly or not at all, and says so, where pages of it are zero or twice there", async () => {
    const damages = Array.from(whole).flatMap(([key, body]) => {
      const half = body.length >> 1;
      // From a byte that is not zero already.
      const from = body.findIndex((byte, at) => at >= half && byte !== 0);
      const zeros = body.slice().fill(0, from, from + 64);
      const twice = body.slice();
      twice.copyWithin(half, 0, half);
      return [
        [`zeros in ${key}`, replaced(whole, key, zeros)],
        [`the first half of ${key} twice`, replaced(whole, key, twice)],
      ] as const;
    });
    expect(await missed(damages)).toEqual([]);
  });
});

describe("a collection over a store with one record damaged", () => {
  it("takes nothing that anybody needs, for bits flipped in the records that tell it what that is", async () => {
    const taken: string[] = [];
    let tried = 0;
    for (const [key, body] of whole) {
      if (key.startsWith("blobs/")) continue;
      // An odd stride, so that each bit of a byte has its turn.
      const stride = body.length > 1000 ? 131 : 31;
      for (let bit = 0; bit < 8 * body.length; bit += stride) {
        tried++;
        taken.push(...(await takenFrom(replaced(whole, key, flipped(body, bit)), whole)));
      }
    }
    expect(tried).toBeGreaterThan(300);
    expect(taken).toEqual([]);
  });

  it("takes nothing that anybody needs where one of them is gone", async () => {
    for (const key of [...whole.keys()].filter((name) => !name.startsWith("blobs/"))) {
      expect(await takenFrom(replaced(whole, key, null), whole), key).toEqual([]);
    }
  });
});

describe("a store with an object that is not its own", () => {
  it("answers rightly or not at all, and says so, where any object is gone", async () => {
    // A record of collections is not there before the first, and a write that was never taken leaves no gap.
    const needed = [...whole.keys()].filter((key) => !/^gc\/|\/inbox\//u.test(key));
    const damages = needed.map((key) => [`no ${key}`, replaced(whole, key, null)] as const);
    expect(await missed(damages)).toEqual([]);
  });

  it("answers rightly or not at all, and says so, for each object under the key of each other", async () => {
    const damages = Array.from(whole).flatMap(([key]) =>
      Array.from(whole)
        .filter(([other]) => other !== key)
        .map(([other, body]) => [`${other} under ${key}`, replaced(whole, key, body)] as const),
    );
    expect(damages.length).toBe(whole.size * (whole.size - 1));
    expect(await missed(damages)).toEqual([]);
  });

  it("answers rightly or not at all, and says so, for objects of another index in the place of its own", async () => {
    const others = [...(await smallStore(2))];
    const kindOf = (key: string) =>
      key
        .split("/")
        .slice(0, 3)
        .join("/")
        .replaceAll(/[0-9a-f]{64}/gu, "");
    const damages = Array.from(whole)
      .filter(([key]) => /^blobs|manifests|current/u.test(key))
      .flatMap(([key]) =>
        others
          .filter(([other]) => kindOf(other) === kindOf(key) && other !== key)
          .map(
            ([other, body]) => [`another index's ${other} under ${key}`, replaced(whole, key, body)] as const,
          ),
      );
    expect(damages.length).toBeGreaterThan(20);
    expect(await missed(damages)).toEqual([]);
  });
});
