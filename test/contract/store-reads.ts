/** The reading half of the suite that every store passes, for stores that can do no more. */

import { beforeAll, describe, expect, it } from "vitest";
import type { ReadStore, WriteStore } from "../../shared/store/store.ts";

/** Bytes of a text. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Text of an object's bytes. */
export function textOf(object: { readonly body: Uint8Array } | null): string | null {
  return object === null ? null : new TextDecoder().decode(object.body);
}

/** Texts that no method of any store takes for a key. */
export const BAD_KEYS = [
  "",
  "/",
  "a//b",
  "/a",
  "a/",
  ".",
  "..",
  "../x",
  "a/../../b",
  "a/./b",
  "A",
  "a\0b",
  "a b",
  "caf\u00e9",
  "cafe\u0301",
  "\ud800",
  "a\\b",
  "a%2fb",
  "a~b",
  "x".repeat(513),
];

let prefixes = 0;
/** A folder that no other test of this process uses. */
export function freshPrefix(): string {
  prefixes += 1;
  return `t${prefixes}`;
}

/** Reading, over a store that `fill` writes into by whatever way. */
export function describeReads(
  name: string,
  make: () => Promise<{ readonly store: ReadStore; readonly fill: WriteStore }>,
): void {
  describe(`${name}: reading`, () => {
    let store: ReadStore;
    let fill: WriteStore;
    let at: string;

    beforeAll(async () => {
      ({ store, fill } = await make());
      at = freshPrefix();
      await fill.put(`${at}/ten`, bytes("0123456789"));
      await fill.put(`${at}/empty`, bytes(""));
    });

    it("gives a whole object with its facts", async () => {
      const found = await store.get(`${at}/ten`);
      expect(textOf(found)).toBe("0123456789");
      expect(found).toMatchObject({ key: `${at}/ten`, bytes: 10 });
      expect(found?.etag).toMatch(/^\S+$/);
      const { body: _, ...facts } = found!;
      expect(await store.head(`${at}/ten`)).toEqual(facts);
    });

    it("says when an object was written, by a clock not far from this one", async () => {
      const { modified } = (await store.head(`${at}/ten`))!;
      expect(Number.isInteger(modified)).toBe(true);
      expect(Math.abs(Date.now() - modified)).toBeLessThan(120_000);
    });

    it("gives null for an object that is not there", async () => {
      expect(await store.get(`${at}/none`)).toBeNull();
      expect(await store.head(`${at}/none`)).toBeNull();
      expect(await store.getRange(`${at}/none`, 0, 1)).toBeNull();
      expect(await store.getRange(`${at}/none`, 3, 0)).toBeNull();
      expect(await store.get(`${at}`)).toBeNull();
      expect(await store.get(`${at}/ten/deeper`)).toBeNull();
    });

    it("sees an object that was written after a read had found nothing", async () => {
      expect(await store.get(`${at}/later`)).toBeNull();
      expect(await store.head(`${at}/later`)).toBeNull();
      await fill.put(`${at}/later`, bytes("now"));
      expect(textOf(await store.get(`${at}/later`))).toBe("now");
      expect((await store.head(`${at}/later`))?.bytes).toBe(3);
    });

    it("gives exactly the range asked for", async () => {
      const read = async (offset: number, length: number) =>
        new TextDecoder().decode((await store.getRange(`${at}/ten`, offset, length)) ?? bytes("null"));
      expect(await read(0, 10)).toBe("0123456789");
      expect(await read(0, 1)).toBe("0");
      expect(await read(3, 4)).toBe("3456");
      expect(await read(9, 1)).toBe("9");
    });

    it("gives no bytes for an empty range that lies inside", async () => {
      expect(await store.getRange(`${at}/ten`, 4, 0)).toHaveLength(0);
      expect(await store.getRange(`${at}/ten`, 10, 0)).toHaveLength(0);
      expect(await store.getRange(`${at}/empty`, 0, 0)).toHaveLength(0);
    });

    it.each([
      ["one byte past the end", 9, 2],
      ["a range that begins at the end", 10, 1],
      ["a range that begins past the end", 11, 1],
      ["an empty range past the end", 11, 0],
      ["a length without bound", 0, 2 ** 40],
      ["a negative offset", -1, 1],
      ["a negative length", 0, -1],
      ["a fraction", 0.5, 1],
      ["no number", Number.NaN, 1],
    ])("refuses %s", async (_case, offset, length) => {
      const read = store.getRange(`${at}/ten`, offset, length);
      await expect(read).rejects.toMatchObject({ code: "blob/corrupt" });
    });

    it("refuses any range of an empty object but the empty one", async () => {
      expect((await store.get(`${at}/empty`))?.body).toHaveLength(0);
      expect((await store.head(`${at}/empty`))?.bytes).toBe(0);
      await expect(store.getRange(`${at}/empty`, 0, 1)).rejects.toMatchObject({ code: "blob/corrupt" });
    });

    it("gives a body of one MiB unchanged, whole and in part", async () => {
      const body = Uint8Array.from({ length: 1024 * 1024 }, (_, i) => (i * 2654435761) >>> 13);
      await fill.put(`${at}/large`, body);
      expect(Buffer.compare((await store.get(`${at}/large`))?.body ?? bytes(""), body)).toBe(0);
      const part = await store.getRange(`${at}/large`, 700_001, 65_536);
      expect(Buffer.compare(part ?? bytes(""), body.subarray(700_001, 765_537))).toBe(0);
    });

    it("does not share the bytes it gives out", async () => {
      (await store.get(`${at}/ten`))?.body.fill(0);
      (await store.getRange(`${at}/ten`, 0, 10))?.fill(0);
      expect(textOf(await store.get(`${at}/ten`))).toBe("0123456789");
    });

    it("gives bytes a buffer to themselves, which may be detached", async () => {
      for (let time = 0; time < 2; time++) {
        const whole = (await store.get(`${at}/ten`))!.body;
        const part = (await store.getRange(`${at}/ten`, 2, 5))!;
        expect([whole.buffer.byteLength, part.buffer.byteLength]).toEqual([10, 5]);
        whole.buffer.transfer(0);
        part.buffer.transfer(0);
      }
    });

    it.each(BAD_KEYS)("refuses to read the key %j", async (key) => {
      for (const read of [() => store.get(key), () => store.head(key), () => store.getRange(key, 0, 1)]) {
        await expect(read()).rejects.toMatchObject({ code: "store/invalid-key" });
      }
    });
  });
}
