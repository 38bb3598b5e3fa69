import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { FolderStore } from "../../../indexer/store/folder.ts";
import { describeStore, list } from "../../contract/store.ts";
import { bytes, textOf } from "../../contract/store-reads.ts";

const made: string[] = [];
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lightedge-folder-"));
  made.push(folder);
  return folder;
}
afterAll(async () => {
  for (const folder of made) await rm(folder, { recursive: true, force: true });
});

describeStore(
  "FolderStore",
  async () => new FolderStore(join(await temporaryFolder(), "not", "there", "yet")),
);

describe("FolderStore", () => {
  let root: string;
  let store: FolderStore;
  beforeEach(async () => {
    root = await temporaryFolder();
    store = new FolderStore(root);
  });

  it("keeps an object in the file of its name", async () => {
    await store.put("blobs/a", bytes("text"));
    expect(await readFile(join(root, "blobs", "a"), "utf8")).toBe("text");
  });

  it("reads a folder that is not there as an empty store", async () => {
    const absent = new FolderStore(join(root, "absent"));
    expect(await absent.get("a")).toBeNull();
    expect(await absent.head("a")).toBeNull();
    expect(await absent.getRange("a", 0, 1)).toBeNull();
    expect(await list(absent, "")).toEqual([]);
    await absent.delete("a");
    expect(await readdir(root)).toEqual([]);
  });

  it("says that a file stands in the place of its folder, or above it", async () => {
    await writeFile(join(root, "file"), "x");
    for (const path of ["file", "file/below"]) {
      await expect(new FolderStore(join(root, path)).put("a", bytes("x"))).rejects.toMatchObject({
        code: "store/unavailable",
        message: expect.stringContaining(`${join(root, "file")} is a file`),
      });
    }
  });

  it("makes its folder when many write into it at first", async () => {
    const stores = Array.from({ length: 8 }, () => new FolderStore(join(root, "deep", "er")));
    await Promise.all(stores.map((each, n) => each.put(`a${n}`, bytes("x"))));
    expect(await list(stores[0]!, "")).toHaveLength(8);
  });

  it.runIf(existsSync("/proc/self"))("gives up where no folder can be made", async () => {
    await expect(new FolderStore("/proc/none/such").put("a", bytes("x"))).rejects.toMatchObject({
      code: "store/unavailable",
      message: expect.stringMatching(/\/proc\/none cannot be made \(E\w+\)/),
    });
  });

  it("leaves no temporary file behind, whatever became of the write", async () => {
    await store.put("a", bytes("1"));
    await store.putIfAbsent("a", bytes("2"));
    await store.putIfMatch("a", bytes("2"), "0");
    expect(await readdir(join(root, "~tmp"))).toEqual([]);
  });

  it("never lists temporary files, locks, or files whose names are no keys", async () => {
    await store.put("a", bytes("x"));
    await writeFile(join(root, "~tmp", "left-by-a-killed-run"), "half");
    await writeFile(join(root, "Notes.TXT"), "x");
    await mkdir(join(root, "Folder"));
    await writeFile(join(root, "Folder", "b"), "x");
    expect((await list(store, "")).map(({ key }) => key)).toEqual(["a"]);
  });

  it("removes temporary files of runs that died more than a day ago, and no others", async () => {
    await mkdir(join(root, "~tmp"));
    await writeFile(join(root, "~tmp", "old"), "half");
    await writeFile(join(root, "~tmp", "young"), "half");
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3600 * 1000);
    await utimes(join(root, "~tmp", "old"), twoDaysAgo, twoDaysAgo);
    await store.put("a", bytes("x"));
    expect(await readdir(join(root, "~tmp"))).toEqual(["young"]);
  });

  it("gives equal tags to equal contents and other tags to others of the same length", async () => {
    const first = await store.put("a", bytes("one"));
    const second = await store.put("a", bytes("two"));
    const third = await store.put("a", bytes("one"));
    expect(second.etag).not.toBe(first.etag);
    expect(third.etag).toBe(first.etag);
  });

  it("counts right when several stores of one folder count up together", async () => {
    await store.put("n", bytes("0"));
    const countUp = async (mine: FolderStore) => {
      for (let step = 0; step < 10; ) {
        const found = await mine.get("n");
        const next = bytes(String(Number(textOf(found)) + 1));
        if ((await mine.putIfMatch("n", next, found!.etag)).kind === "written") step += 1;
      }
    };
    await Promise.all([1, 2, 3, 4].map(() => countUp(new FolderStore(root))));
    expect(textOf(await store.get("n"))).toBe("40");
  });

  it("refuses a key that would make one object the folder of another", async () => {
    await store.put("a/b", bytes("x"));
    await expect(store.put("a", bytes("x"))).rejects.toMatchObject({ code: "store/invalid-key" });
    await expect(store.put("a/b/c", bytes("x"))).rejects.toMatchObject({ code: "store/invalid-key" });
    await store.delete("a");
    expect(textOf(await store.get("a/b"))).toBe("x");
  });
});

describe("FolderStore with symbolic links", () => {
  let root: string;
  let outside: string;
  let store: FolderStore;
  beforeEach(async () => {
    root = await temporaryFolder();
    outside = await temporaryFolder();
    store = new FolderStore(root);
    await writeFile(join(outside, "secret"), "secret");
    await symlink(outside, join(root, "door"));
    await symlink(join(outside, "secret"), join(root, "file"));
    await symlink(join(outside, "nothing"), join(root, "dangling"));
  });

  it("reads nothing through one", async () => {
    for (const key of ["door/secret", "file"]) {
      await expect(store.get(key)).rejects.toMatchObject({ code: "store/invalid-key" });
      await expect(store.getRange(key, 0, 1)).rejects.toMatchObject({ code: "store/invalid-key" });
      await expect(store.head(key)).rejects.toMatchObject({ code: "store/invalid-key" });
    }
    await expect(list(store, "door/")).rejects.toMatchObject({ code: "store/invalid-key" });
    expect(await list(store, "")).toEqual([]);
  });

  it("writes and deletes nothing through one", async () => {
    for (const key of ["door/secret", "door/new/deep"]) {
      await expect(store.put(key, bytes("x"))).rejects.toMatchObject({ code: "store/invalid-key" });
      await expect(store.putIfAbsent(key, bytes("x"))).rejects.toMatchObject({ code: "store/invalid-key" });
      await expect(store.putIfMatch(key, bytes("x"), "0")).rejects.toMatchObject({
        code: "store/invalid-key",
      });
    }
    await expect(store.delete("door/secret")).rejects.toMatchObject({ code: "store/invalid-key" });
    await store.put("file", bytes("mine"));
    await store.put("dangling", bytes("mine"));
    expect(await readdir(outside)).toEqual(["secret"]);
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("secret");
    expect(textOf(await store.get("file"))).toBe("mine");
  });

  it("works when the store's own folder is reached by one", async () => {
    await rename(join(root, "door"), join(root, "elsewhere"));
    const linkedStore = new FolderStore(join(root, "elsewhere"));
    await linkedStore.put("a/b", bytes("x"));
    expect(textOf(await linkedStore.get("a/b"))).toBe("x");
    expect((await list(linkedStore, "a/")).map(({ key }) => key)).toEqual(["a/b"]);
  });
});
