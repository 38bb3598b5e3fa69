import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onDisk, withLock } from "../../../indexer/store/disk.ts";
import { LightedgeError } from "../../../shared/errors.ts";

function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: as the system says it`), { code });
}

describe("onDisk", () => {
  it.each(["ENOSPC", "EIO", "EACCES", "EROFS", "EMFILE", "EDQUOT"])(
    "reports %s with its cause and the key",
    async (code) => {
      const cause = diskError(code);
      const work = onDisk("a/b", () => Promise.reject(cause));
      await expect(work).rejects.toMatchObject({
        code: "store/unavailable",
        details: { blob: "a/b" },
        cause,
      });
      await expect(work).rejects.toThrow(code);
    },
  );

  it.each(["ENOTDIR", "EISDIR", "EEXIST"])("blames the key for %s", async (code) => {
    const work = onDisk("a/b", () => Promise.reject(diskError(code)));
    await expect(work).rejects.toMatchObject({ code: "store/invalid-key" });
  });

  it("leaves our own errors and defects as they are", async () => {
    const ours = new LightedgeError("blob/corrupt", "short");
    await expect(onDisk("a", () => Promise.reject(ours))).rejects.toBe(ours);
    const defect = new TypeError("undefined is not a function");
    await expect(onDisk("a", () => Promise.reject(defect))).rejects.toBe(defect);
  });
});

describe("withLock", () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "lightedge-disk-"));
  });
  afterAll(() => rm(root, { recursive: true }));

  it("gives the result of the work and lets go, even when the work throws", () => {
    expect(withLock(root, () => 7)).toBe(7);
    const failing = () =>
      withLock(root, () => {
        throw new Error("inside");
      });
    expect(failing).toThrow("inside");
    expect(withLock(root, () => 8)).toBe(8);
  });

  it("holds a lock that another connection to the file cannot take", () => {
    withLock(root, () => {
      const other = new DatabaseSync(join(root, "~lock"), { timeout: 1 });
      expect(() => other.exec("BEGIN EXCLUSIVE")).toThrow("locked");
      other.close();
    });
  });
});
