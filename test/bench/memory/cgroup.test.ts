/** Which folder is taken for a cgroup, over made-up hierarchies: a file system, unlike the kernel, fills no files in. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryCgroup, numberIn } from "../../../bench/memory/cgroup.ts";

let mount: string;
beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), "lightedge-cgroup-"));
});
afterEach(() => rmSync(mount, { recursive: true }));

describe("a memory cgroup", () => {
  it.each(["", "0::/\n", "4:memory:/a/b\n", "0::/../x\n", "not a line"])(
    "is none where folders are only folders, and leaves nothing behind, for %j",
    (self) => {
      mkdirSync(join(mount, "memory", "a", "b"), { recursive: true });
      expect(createMemoryCgroup("new", 1, { mount, self })).toBeUndefined();
      expect(readdirSync(mount, { recursive: true }).sort()).toEqual(["memory", "memory/a", "memory/a/b"]);
    },
  );
});

describe("a figure of the kernel", () => {
  it("is the number after its whole name", () => {
    expect(numberIn("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "oom_kill")).toBe(3);
    expect(numberIn("anon_thp 5\n", "anon")).toBeNaN();
  });
});
