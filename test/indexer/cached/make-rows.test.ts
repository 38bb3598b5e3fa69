/** Rows of the model's own table: what they are, and that they are the same however they come about. */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { cachedRows } from "../../../indexer/cached/cached-rows.ts";
import { blocksOf } from "../../../indexer/cached/make-rows.ts";
import { blockName, rowFolder } from "../../../indexer/cached/row-folder.ts";
import { BLOCK, idsOf } from "../../../indexer/cached/row-plan.ts";
import { createRotation, ROTATION } from "../../../indexer/compress/rotate.ts";
import { SILENT } from "../../../indexer/progress.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { madeUpGraph, madeUpModel, numberIn, planFor, SPECIAL, TOKENS } from "./made-up-model.ts";
import { filesIn, newFolder, run } from "./rows.ts";

const plan = await planFor();
const whole = await run(plan);

describe("the rows of a table", () => {
  it("are those of every token but the special ones and what only pads the embeddings", async () => {
    const rows = cachedRows(plan, whole.cache, null);
    expect(rows).toMatchObject({ vocabulary: TOKENS + 100, dimension: 6 });
    const none: number[] = Object.values(SPECIAL);
    for (let id = 0; id < TOKENS + 100; id++) {
      const has = id < TOKENS && !none.includes(id);
      const wanted = Array.from({ length: 6 }, (_, j) => (has ? numberIn(id, j) : 0));
      expect(
        [...(await rows.read(id, 1))].map((value) => value + 0),
        String(id),
      ).toEqual(wanted);
    }
    expect(whole.counts).toMatchObject({ own: 4, made: 4, rows: TOKENS - 3, fetched: 0, shared: 0 });
  });

  it("are read over any edge of blocks as one by one", async () => {
    const rows = cachedRows(plan, whole.cache, null);
    const all = Float32Array.from(await rows.read(0, TOKENS + 100));
    for (const [first, count] of [
      [0, 1],
      [BLOCK - 1, 2],
      [100, 1700],
      [TOKENS - 3, 50],
      [TOKENS + 20, 5],
    ] as const)
      expect(await rows.read(first, count)).toEqual(all.subarray(first * 6, (first + count) * 6));
  });

  it("are rotated as documents are", async () => {
    const model = { ...madeUpModel(), dimension: 8 };
    const wide = await planFor(model);
    const { cache } = await run(wide);
    const rotation = createRotation(ROTATION, 8);
    const plain = Float32Array.from(await cachedRows(wide, cache, null).read(500, 30));
    for (let at = 0; at < plain.length; at += 8) rotation.apply(plain, at);
    expect(await cachedRows(wide, cache, rotation).read(500, 30)).toEqual(plain);
  });

  it("come from passes that begin anew with every block, so that no other block changes them", async () => {
    const small = await planFor(madeUpModel(), "search", 640);
    const { passes } = await run(small);
    const inputs = small.before.length + 1 + small.after.length;
    expect(small.pass).toBe(128);
    for (const ids of passes) {
      expect(ids.length * inputs).toBeLessThanOrEqual(640);
      expect(new Set(ids.map((id) => Math.floor(id / BLOCK))).size).toBe(1);
    }
    expect(passes.flat()).toEqual([0, 1, 2, 3].flatMap((block) => idsOf(small, block)));
  });

  it("are of this model and task alone", async () => {
    const keys = new Set([
      plan.key,
      (await planFor(madeUpModel("b"))).key,
      (await planFor(madeUpModel("a", ["search", "other"]), "other")).key,
      (await planFor({ ...madeUpModel(), dimension: 4 })).key,
    ]);
    expect(keys.size).toBe(4);
    // Another task beside it, another number of tokens a pass or another name change nothing.
    expect((await planFor(madeUpModel("a", ["search", "other"]))).key).toBe(plan.key);
    expect((await planFor(madeUpModel(), "search", 64)).key).toBe(plan.key);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 65_520, -1e9])(
    "are refused with the token's id where one holds %d, and those before it are kept",
    async (bad) => {
      const cache = newFolder();
      const graph = madeUpGraph(undefined, (id, j) => (id === 1300 && j === 2 ? bad : numberIn(id, j)));
      await expect(run(plan, { cache, graph })).rejects.toMatchObject({
        code: "model/invalid",
        message: expect.stringContaining("token 1300"),
        details: { value: "1300" },
      });
      expect(readdirSync(rowFolder(cache, plan))).toEqual([blockName(0), blockName(1)]);
    },
  );

  it("do not ask for the numbers that are cut off", async () => {
    const graph = madeUpGraph(undefined, (id, j) => (j >= 6 ? Number.NaN : numberIn(id, j)));
    expect((await run(plan, { graph })).files).toEqual(whole.files);
  });
});

describe("a folder of rows", () => {
  it("is taken as it is: the model is not even opened", async () => {
    const again = await run(plan, { cache: whole.cache });
    expect(again).toMatchObject({ opened: 0, counts: { own: 4, made: 0, rows: 0 } });
  });

  it("filled by a run that failed at any pass is finished by the next, with the same bytes", async () => {
    for (let stop = 0; stop < 4; stop++) {
      const cache = newFolder();
      let left = stop;
      const failing = madeUpGraph(() => {
        if (left-- === 0) throw new Error("no power");
      });
      await expect(run(plan, { cache, graph: failing })).rejects.toThrow("no power");
      const next = await run(plan, { cache });
      expect(next.counts.made).toBe(4 - stop);
      expect(next.files).toEqual(whole.files);
    }
  });

  it("filled by processes that were killed, again and again, is finished by the next, with the same bytes", async () => {
    const cache = newFolder();
    const script = fileURLToPath(new URL("./row-writer.ts", import.meta.url));
    const write = (dieAfter: number) =>
      spawnSync(process.execPath, [script, cache, String(dieAfter)], { encoding: "utf8" });
    // In its third pass, then in its first, which writes nothing, then in its second.
    expect(write(3).signal).toBe("SIGKILL");
    expect(write(1).signal).toBe("SIGKILL");
    expect(write(2).signal).toBe("SIGKILL");
    const last = write(Number.POSITIVE_INFINITY);
    expect(last).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(last.stdout)).toMatchObject({ own: 4, made: 1 });
    expect(filesIn(rowFolder(cache, plan))).toEqual(whole.files);
  });

  it("has torn, flipped and longer files made anew, and them alone", async () => {
    const { cache } = await run(plan);
    const folder = rowFolder(cache, plan);
    const sound = readFileSync(join(folder, blockName(3)));
    const spoil: readonly ((path: string) => void)[] = [
      (path) => truncateSync(path, 0),
      (path) => truncateSync(path, 50),
      (path) => truncateSync(path, sound.length - 1),
      (path) => appendFileSync(path, "x"),
      ...[0, 20, 41, 60, 87, 88, sound.length - 1].map((place) => (path: string) => {
        const bytes = Buffer.from(sound);
        bytes[place]! ^= 1;
        writeFileSync(path, bytes);
      }),
    ];
    for (const [at, tear] of spoil.entries()) {
      tear(join(folder, blockName(3)));
      const { counts, files } = await run(plan, { cache });
      expect(counts.made, String(at)).toBe(1);
      expect(files).toEqual(whole.files);
    }
  });

  it("is refused where it holds sound rows of another model, task or block", async () => {
    const other = await planFor(madeUpModel("b"));
    const { cache } = await run(other);
    const mine = newFolder();
    mkdirSync(rowFolder(mine, plan), { recursive: true });
    copyFileSync(join(rowFolder(cache, other), blockName(1)), join(rowFolder(mine, plan), blockName(1)));
    const refused = { code: "model/invalid", details: { file: join(rowFolder(mine, plan), blockName(1)) } };
    await expect(run(plan, { cache: mine })).rejects.toMatchObject(refused);
    copyFileSync(join(rowFolder(whole.cache, plan), blockName(0)), join(rowFolder(mine, plan), blockName(1)));
    await expect(run(plan, { cache: mine })).rejects.toMatchObject(refused);
  });

  it("that loses a file while it is read says which", async () => {
    const { cache } = await run(plan);
    const rows = cachedRows(plan, cache, null);
    await rows.read(0, 1);
    const path = join(rowFolder(cache, plan), blockName(2));
    truncateSync(path, 10);
    await expect(rows.read(2 * BLOCK, 1)).rejects.toMatchObject({
      code: "blob/corrupt",
      details: { file: path },
    });
  });
});

describe("parts of a table", () => {
  it("are every block once, however many there are", () => {
    for (const of of [1, 2, 3, 4, 7]) {
      const all = Array.from({ length: of }, (_, at) => blocksOf(plan, { number: at + 1, of }));
      expect(all.flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    }
  });

  it("made in folders of their own are the whole table's files, copied together", async () => {
    const together = newFolder();
    mkdirSync(rowFolder(together, plan), { recursive: true });
    for (const number of [3, 1, 2]) {
      const { cache, files } = await run(plan, { part: { number, of: 3 } });
      for (const name of files.keys())
        copyFileSync(join(rowFolder(cache, plan), name), join(rowFolder(together, plan), name));
    }
    expect(filesIn(rowFolder(together, plan))).toEqual(whole.files);
    expect((await run(plan, { cache: together })).opened).toBe(0);
  });

  it("meet in a store, from which a machine without any takes them", async () => {
    const store = new MemoryStore();
    for (const number of [2, 1, 3]) {
      const { counts } = await run(plan, { part: { number, of: 3 }, store });
      expect(counts).toMatchObject({ made: counts.own, shared: counts.own, fetched: 0 });
    }
    // A machine with some of its own puts nothing there twice.
    const { counts: again } = await run(plan, { part: { number: 1, of: 3 }, store, cache: whole.cache });
    expect(again).toMatchObject({ made: 0, shared: 0, fetched: 0 });
    const taken = await run(plan, { store, share: false });
    expect(taken).toMatchObject({ opened: 0, counts: { own: 4, made: 0, fetched: 4, shared: 0 } });
    expect(taken.files).toEqual(whole.files);
  });

  it("put into the store what only the folder has", async () => {
    const store = new MemoryStore();
    const { counts } = await run(plan, { store, cache: whole.cache });
    expect(counts).toMatchObject({ made: 0, shared: 4 });
    expect((await run(plan, { store, share: false })).files).toEqual(whole.files);
  });

  it("are made anew where the store's are damaged, with a warning, and mended there", async () => {
    const store = new MemoryStore();
    await run(plan, { store });
    const keys: string[] = [];
    for await (const { key } of store.list("rows/")) keys.push(key);
    expect(keys).toHaveLength(4);
    const bytes = (await store.get(keys[1]!))!.body;
    bytes[200]! ^= 1;
    await store.put(keys[1]!, bytes);
    await store.put(keys[2]!, bytes.slice(0, 100));
    const warnings: string[] = [];
    const progress = { ...SILENT, warn: (text: string) => warnings.push(text) };
    const { counts, files } = await run(plan, { store, progress });
    expect(counts).toMatchObject({ fetched: 2, made: 2, shared: 2 });
    expect(warnings.join()).toContain(keys[1]!);
    expect(files).toEqual(whole.files);
    expect((await run(plan, { store, share: false })).files).toEqual(whole.files);
  });

  it("stopped at any operation of the store are finished by the next run", async () => {
    for (const fault of ["crash", "crash after"] as const) {
      for (let at = 0, done = false; !done; at++) {
        const store = new MemoryStore();
        const cache = newFolder();
        await run(plan, { cache, store: new FaultStore(store, at, fault) }).then(
          () => {
            done = true;
          },
          (error) => expect(error).toMatchObject({ code: "store/unavailable" }),
        );
        await run(plan, { cache, store });
        const taken = await run(plan, { store, share: false });
        expect(taken.opened).toBe(0);
        expect(taken.files).toEqual(whole.files);
      }
    }
  });
});
