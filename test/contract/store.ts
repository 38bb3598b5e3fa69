/** The one suite that every store passes. Each test works below a prefix of its own. */

import { beforeAll, describe, expect, it } from "vitest";
import type { ObjectInfo, PutOutcome, WriteStore } from "../../shared/store/store.ts";
import { BAD_KEYS, bytes, describeReads, freshPrefix, textOf } from "./store-reads.ts";

/** Everything: reading, writing, conditions, listing. */
export function describeStore(name: string, make: () => Promise<WriteStore>): void {
  // One store for both halves, as starting one may be slow.
  let made: Promise<WriteStore> | undefined;
  const once = () => {
    made ??= make();
    return made;
  };
  describeReads(name, async () => {
    const store = await once();
    return { store, fill: store };
  });

  describe(`${name}: writing`, () => {
    let store: WriteStore;
    beforeAll(async () => {
      store = await once();
    });

    it("replaces an object and answers with what a later head says", async () => {
      const key = `${freshPrefix()}/a`;
      await store.put(key, bytes("first"));
      const info = await store.put(key, bytes("second!"));
      expect(textOf(await store.get(key))).toBe("second!");
      expect(await store.head(key)).toEqual(info);
      expect(info).toMatchObject({ key, bytes: 7 });
    });

    it("counts an object's age from its last write, also where the bytes stayed the same", async () => {
      const key = `${freshPrefix()}/a`;
      const first = await store.put(key, bytes("same"));
      // Some stores keep whole seconds.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const second = await store.put(key, bytes("same"));
      expect(second.modified).toBeGreaterThan(first.modified);
      expect((await store.head(key))?.modified).toBe(second.modified);
    });

    it("never shows a put half done", async () => {
      const key = `${freshPrefix()}/a`;
      const bodies = ["a", "b", "c"].map((letter) => bytes(letter.repeat(50_000)));
      await store.put(key, bodies[0]!);
      let writing = true;
      const writer = (async () => {
        for (let n = 0; n < 12; n += 1) await store.put(key, bodies[n % 3]!);
        writing = false;
      })();
      while (writing) {
        // Lets the writer go on: reads of a store in memory alone would never give the thread away.
        await new Promise((resolve) => setImmediate(resolve));
        const body = (await store.get(key))?.body ?? bytes("");
        expect(bodies.some((whole) => Buffer.compare(whole, body) === 0)).toBe(true);
      }
      await writer;
    });

    it("creates an object only where nothing is", async () => {
      const key = `${freshPrefix()}/a`;
      const created = await store.putIfAbsent(key, bytes("mine"));
      expect(created).toEqual({ kind: "written", etag: (await store.head(key))?.etag });
      expect(await store.putIfAbsent(key, bytes("yours"))).toEqual({ kind: "conflict" });
      expect(await store.putIfAbsent(key, bytes("mine"))).toEqual({ kind: "conflict" });
      expect(textOf(await store.get(key))).toBe("mine");
      await store.delete(key);
      expect(await store.putIfAbsent(key, bytes("yours"))).toMatchObject({ kind: "written" });
    });

    it("lets exactly one of twenty writers create an object", async () => {
      const key = `${freshPrefix()}/a`;
      const outcomes = await race(20, (n) => store.putIfAbsent(key, bytes(`writer ${n}`)));
      expect(textOf(await store.get(key))).toBe(`writer ${onlyWinner(outcomes)}`);
    });

    it("replaces an object only while its etag is the one given", async () => {
      const key = `${freshPrefix()}/a`;
      const first = await store.put(key, bytes("first"));
      const second = await store.putIfMatch(key, bytes("second"), first.etag);
      expect(second).toEqual({ kind: "written", etag: (await store.head(key))?.etag });
      expect(await store.putIfMatch(key, bytes("third"), first.etag)).toEqual({ kind: "conflict" });
      expect(textOf(await store.get(key))).toBe("second");
    });

    it.each(["", "*", "0", '"0"', 'a", "b'])("takes the etag %j for that of no object", async (etag) => {
      const key = `${freshPrefix()}/a`;
      await store.put(key, bytes("first"));
      expect(await store.putIfMatch(key, bytes("second"), etag)).toEqual({ kind: "conflict" });
      expect(textOf(await store.get(key))).toBe("first");
    });

    it("does not create an object by a write that wants an etag", async () => {
      const key = `${freshPrefix()}/a`;
      const { etag } = await store.put(key, bytes("first"));
      await store.delete(key);
      expect(await store.putIfMatch(key, bytes("second"), etag)).toEqual({ kind: "conflict" });
      expect(await store.get(key)).toBeNull();
    });

    it("lets exactly one of twenty writers replace a version", async () => {
      const key = `${freshPrefix()}/a`;
      const { etag } = await store.put(key, bytes("base"));
      const outcomes = await race(20, (n) => store.putIfMatch(key, bytes(`writer ${n}`), etag));
      expect(textOf(await store.get(key))).toBe(`writer ${onlyWinner(outcomes)}`);
    });

    it("loses no step of writers that count up together", async () => {
      const key = `${freshPrefix()}/a`;
      await store.put(key, bytes("0"));
      await Promise.all([1, 2, 3].map(() => countUp(store, key, 5)));
      expect(textOf(await store.get(key))).toBe("15");
    });

    it("keeps an empty object", async () => {
      const key = `${freshPrefix()}/a`;
      expect(await store.putIfAbsent(key, bytes(""))).toMatchObject({ kind: "written" });
      expect(await store.putIfAbsent(key, bytes(""))).toEqual({ kind: "conflict" });
      expect((await store.get(key))?.bytes).toBe(0);
    });

    it("keeps what the caller's buffer held at the call", async () => {
      const at = freshPrefix();
      const { etag } = await store.put(`${at}/match`, bytes("base"));
      const calls = [
        { key: `${at}/put`, write: (body: Uint8Array<ArrayBuffer>) => store.put(`${at}/put`, body) },
        { key: `${at}/new`, write: (body: Uint8Array<ArrayBuffer>) => store.putIfAbsent(`${at}/new`, body) },
        {
          key: `${at}/match`,
          write: (body: Uint8Array<ArrayBuffer>) => store.putIfMatch(`${at}/match`, body, etag),
        },
      ];
      for (const { key, write } of calls) {
        // A view into a larger buffer, whose neighbours must not be stored either.
        const body = bytes("..kept..").subarray(2, 6);
        const done = write(body);
        body.fill(0);
        await done;
        expect(textOf(await store.get(key))).toBe("kept");
      }
    });

    it("lists keys in code-unit order, whatever order they came in", async () => {
      const at = freshPrefix();
      const names = ["b/c", "a.z", "a-b", "a/b/c", "a0", "a/b.c", "a_b", "b/10", "b/9", "a/b/a"];
      for (const name of names) await store.put(`${at}/${name}`, bytes(name));
      const listed = await list(store, `${at}/`);
      expect(listed.map(({ key }) => key)).toEqual(names.map((name) => `${at}/${name}`).sort());
      for (const info of listed) expect(info).toEqual(await store.head(info.key));
    });

    it("lists what begins with a prefix, which need not end at a slash", async () => {
      const at = freshPrefix();
      // No key here is a folder of another, which a disk cannot hold.
      for (const name of ["abc", "ab/c", "ac", "b", "ab/d/e"]) await store.put(`${at}/${name}`, bytes("."));
      const names = async (prefix: string) =>
        (await list(store, `${at}/${prefix}`)).map(({ key }) => key.slice(at.length + 1));
      expect(await names("ab/")).toEqual(["ab/c", "ab/d/e"]);
      expect(await names("ab/d")).toEqual(["ab/d/e"]);
      expect(await names("a")).toEqual(["ab/c", "ab/d/e", "abc", "ac"]);
      expect(await names("zz")).toEqual([]);
      expect(await names("zz/a")).toEqual([]);
      expect((await list(store, at)).map(({ key }) => key)).toContain(`${at}/b`);
      expect((await list(store, "")).map(({ key }) => key)).toContain(`${at}/b`);
    });

    it("deletes an object, and takes it calmly when there is none", async () => {
      const key = `${freshPrefix()}/deep/a`;
      await store.delete(key);
      await store.put(key, bytes("x"));
      await store.delete(key);
      await store.delete(key);
      expect(await store.get(key)).toBeNull();
      expect(await list(store, key)).toEqual([]);
    });

    it.each(BAD_KEYS)("refuses to write the key %j", async (key) => {
      const writes = [
        () => store.put(key, bytes("x")),
        () => store.putIfAbsent(key, bytes("x")),
        () => store.putIfMatch(key, bytes("x"), "0"),
        () => store.delete(key),
      ];
      for (const write of writes) await expect(write()).rejects.toMatchObject({ code: "store/invalid-key" });
    });

    it.each(["/", "a//", "../", "a/../", "A", "a b", "\0"])(
      "refuses to list the prefix %j",
      async (prefix) => {
        await expect(list(store, prefix)).rejects.toMatchObject({ code: "store/invalid-key" });
      },
    );
  });
}

/** All that a listing gives. */
export async function list(store: WriteStore, prefix: string): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const info of store.list(prefix)) found.push(info);
  return found;
}

function race(writers: number, write: (n: number) => Promise<PutOutcome>): Promise<PutOutcome[]> {
  return Promise.all(Array.from({ length: writers }, (_, n) => write(n)));
}

function onlyWinner(outcomes: readonly PutOutcome[]): number {
  const winners = outcomes.flatMap((outcome, n) => (outcome.kind === "written" ? [n] : []));
  expect(winners).toHaveLength(1);
  return winners[0]!;
}

async function countUp(store: WriteStore, key: string, steps: number): Promise<void> {
  for (let step = 0; step < steps; ) {
    const found = await store.get(key);
    const next = bytes(String(Number(textOf(found)) + 1));
    if ((await store.putIfMatch(key, next, found!.etag)).kind === "written") step += 1;
  }
}
