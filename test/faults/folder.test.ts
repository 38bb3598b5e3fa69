/** The folder store against real processes: killed in the middle of writes, and racing. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FolderStore } from "../../indexer/store/folder.ts";
import { list } from "../contract/store.ts";
import { bytes, textOf } from "../contract/store-reads.ts";

const WRITER = fileURLToPath(new URL("../helpers/folder-writer.ts", import.meta.url));
const KILLS = 20;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "lightedge-kill-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

function start(...task: string[]): ChildProcess {
  return spawn(process.execPath, [WRITER, root, ...task], { stdio: ["ignore", "pipe", "inherit"] });
}

/** Runs a writer and kills it without warning some milliseconds after its first round. Gives the last count it told. */
async function runAndKill(milliseconds: number): Promise<number> {
  const child = start("forever");
  let told = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    told += chunk.toString();
  });
  if (child.stdout !== null) await once(child.stdout, "data");
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
  // A last line without its end was cut off by the kill.
  return Number(told.split("\n").at(-2));
}

describe("FolderStore", () => {
  it(`never shows a torn object, a lost count or a stuck lock after ${KILLS} kills`, async () => {
    const store = new FolderStore(root);
    for (let run = 0; run < KILLS; run += 1) {
      const told = await runAndKill(run * 1.7);

      const target = await store.get("target");
      expect(target?.bytes).toBe(300_000);
      expect(target?.body.every((byte) => byte === target.body[0])).toBe(true);

      const count = await store.get("count");
      expect(Number(textOf(count))).toBeGreaterThanOrEqual(told);
      // Whoever held the lock is dead, and the next writer does not wait for it.
      expect(await store.putIfMatch("count", count!.body, count!.etag)).toMatchObject({ kind: "written" });
    }
    const listed = await list(store, "");
    expect(listed.length).toBeGreaterThanOrEqual(KILLS + 2);
    for (const { key, bytes } of listed) {
      if (key.startsWith("created/")) expect(bytes).toBe(10_000);
      else expect(["count", "target"]).toContain(key);
    }
  });

  it("loses no step when three processes count up together", async () => {
    const children = [1, 2, 3].map(() => start("count", "25"));
    const ends = await Promise.all(children.map((child) => once(child, "close")));
    expect(ends.map(([code]) => code)).toEqual([0, 0, 0]);
    expect(textOf(await new FolderStore(root).get("count"))).toBe("75");
  });

  it.each([
    ["match", "conflict"],
    ["put", "done"],
    ["delete", "done"],
  ])("keeps a %s of another process out while one is comparing", async (task, outcome) => {
    const { etag } = await new FolderStore(root).put("target", bytes("base"));
    // What `putIfMatch` holds between its comparison and its rename.
    const lock = new DatabaseSync(join(root, "~lock"));
    lock.exec("BEGIN EXCLUSIVE");
    const child = start(task, etag);
    let told = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      told += chunk.toString();
    });
    if (child.stdout !== null) await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(told).toBe("ready\n");
    expect(await readFile(join(root, "target"), "utf8")).toBe("base");

    await writeFile(join(root, "target"), "changed meanwhile");
    const closed = once(child, "close");
    lock.close();
    await closed;
    expect(told).toBe(`ready\n${outcome}\n`);
  });
});
