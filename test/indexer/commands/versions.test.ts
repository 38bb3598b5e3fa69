/** versions, rollback, gc, export and check over a folder, with what they print and the codes they end with. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { checkStore } from "../../../indexer/check-store.ts";
import { main } from "../../../indexer/cli.ts";
import { jsonlSource } from "../../../indexer/sources/jsonl.ts";
import { FolderStore } from "../../../indexer/store/folder.ts";
import { serializePointer } from "../../../shared/format/pointer.ts";
import { readExisting } from "../../../shared/versions/current.ts";
import { buildTiny, TINY } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { readAll } from "../sources/files.ts";

const folder = mkdtempSync(join(tmpdir(), "lightedge-versions-"));
const store = new FolderStore(join(folder, "store"));
const STORE = ["--store", `file:${folder}/store`];
const INDEX = ["--index", TINY, ...STORE];
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command line in this process, for speed: `cli.test.ts` runs each in one of its own. */
async function lightedge(...words: string[]) {
  const read = (stream: NodeJS.WriteStream) => {
    const written: string[] = [];
    const spy = vi.spyOn(stream, "write").mockImplementation((text) => written.push(String(text)) > 0);
    return () => {
      spy.mockRestore();
      return written.join("");
    };
  };
  const [stdout, stderr] = [read(process.stdout), read(process.stderr)];
  try {
    const code = await main(words);
    return { code, stdout: stdout(), stderr: stderr() };
  } finally {
    stdout();
    stderr();
  }
}

/** Two versions, of 20 and 18 documents; everything of them was written two days ago. */
beforeAll(async () => {
  for (const [at, documents] of [tinyDocuments(20), tinyDocuments(20, 2).slice(2)].entries())
    await buildTiny({ source: sourceOf(documents), store, now: () => new Date(Date.UTC(2026, 0, 1 + at)) });
  age(join(folder, "store"));
});

/** Makes every file below a folder two days older. */
function age(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) age(join(path, entry.name));
    else utimesSync(join(path, entry.name), Date.now() / 1000, Date.now() / 1000 - 2 * 86_400);
  }
}

async function json(...words: string[]) {
  const { code, stdout, stderr } = await lightedge(...words, "--json");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown> & {
    versions: { version: string }[];
    deleted: { key: string }[];
  };
}

describe("the life of an index on the command line", () => {
  it("lists, exports, rolls back, collects and is sound all the while", async () => {
    const listed = await lightedge("versions", ...INDEX);
    expect(listed.code).toBe(0);
    const [newest, oldest, ...rest] = listed.stdout.trimEnd().split("\n");
    expect(rest).toEqual([]);
    expect(newest).toMatch(
      /^2-[0-9a-f]{8} {2}2026-01-02T00:00:00.000Z {2}18 documents in \d+ chunks {2}\d+ bytes {2}current$/u,
    );
    expect(oldest).toMatch(/^1-[0-9a-f]{8} {2}.*20 documents .*bytes$/u);
    const { versions, end } = await json("versions", ...INDEX);
    expect(end).toEqual({ kind: "first" });
    const [, first] = versions.map(({ version }) => version);
    expect(oldest!.startsWith(first!)).toBe(true);

    // What version 1 says, as a file that can be indexed again.
    const file = join(folder, "one.jsonl");
    const exported = await json("export", ...INDEX, "--version", "1", "--to", file);
    expect(exported).toMatchObject({ version: first, documents: 20, file });
    expect(readFileSync(file).length).toBe(exported.bytes);
    const { documents } = await readAll(jsonlSource(file));
    expect(documents.map(({ id }) => id).toSorted()).toEqual(
      tinyDocuments(20)
        .map(({ id }) => id)
        .toSorted(),
    );
    expect(readdirSync(folder).toSorted()).toEqual(["one.jsonl", "store"]);

    expect((await lightedge("check", ...INDEX, "--version", "1")).stdout).toContain(
      `${TINY} ${first} is sound: 20 documents`,
    );

    // A dry run changes nothing that anybody reads.
    const dry = await lightedge("gc", ...STORE, "--keep", "1", "--dry-run");
    expect(dry.code).toBe(0);
    expect(dry.stdout).toMatch(/blobs\/[0-9a-f]{64} {2}\d+ bytes\n/u);
    expect(dry.stdout).toMatch(
      new RegExp(`${TINY} keeps 2-[0-9a-f]{8}\\.\n\\d+ objects would be deleted, \\d+ bytes\\.\n$`, "u"),
    );
    expect((await checkStore(store)).versions).toBe(2);

    const back = await lightedge("rollback", ...INDEX, "--to", "1");
    expect(back).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(`^${TINY} 3-[0-9a-f]{8} has the content of ${first}: 20 documents`),
    });
    const again = await lightedge("rollback", ...INDEX, "--to", first!);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing was changed") });

    const { deleted, kept } = await json("gc", ...STORE, "--keep", "1", "--grace", "30m");
    // Version 2 was current until a moment ago.
    expect(deleted).toEqual([]);
    expect(kept).toHaveLength(3);
    age(join(folder, "store"));
    const collected = await json("gc", ...STORE, "--keep", "1", "--grace", "24h", "--index", TINY);
    expect(collected.deleted.length).toBeGreaterThan(2);
    expect(await checkStore(store)).toMatchObject({
      versions: 1,
      problems: [],
      indexes: [{ documents: 20 }],
    });

    const after = await lightedge("versions", ...INDEX);
    expect(after.stdout).toMatch(/^3-.*current\n2-[0-9a-f]{8} and what came before was collected\.\n$/u);
    const gone = await lightedge("rollback", ...INDEX, "--to", "2");
    expect(gone.code).toBe(1);
    expect(gone.stderr).toMatch(/has no version "2", or no longer\. There are 3-[0-9a-f]{8}\.\n$/u);
    expect((await lightedge("check", ...STORE)).stdout).toContain(
      "The store is sound: 1 indexes and 0 older versions",
    );
  });
});

describe("a command that is not understood, or of something that is not there", () => {
  it.each<[number, RegExp, string[]]>([
    [2, /--to is required/u, ["rollback", ...INDEX]],
    [2, /A version is written as/u, ["rollback", ...INDEX, "--to", "latest"]],
    [2, /--grace must be .* not "1"/u, ["gc", ...STORE, "--grace", "1"]],
    [2, /grace must be at least 30 minutes/u, ["gc", ...STORE, "--grace", "29m"]],
    [2, /--keep .*at least 1/u, ["gc", ...STORE, "--keep", "0"]],
    [2, /cannot name an index/u, ["gc", ...STORE, "--index", "../a"]],
    [2, /has versions and cannot be forgotten/u, ["gc", ...STORE, "--forget", TINY]],
    [1, /nowhere is not in registry.json/u, ["gc", ...STORE, "--forget", "nowhere"]],
    [2, /--version needs --index/u, ["check", ...STORE, "--version", "1"]],
    [2, /cannot be written \(ENOENT\)/u, ["export", ...INDEX, "--to", join(folder, "no/such/file")]],
    [1, /no index named nowhere/u, ["versions", ...STORE, "--index", "nowhere"]],
    [1, /no index named nowhere/u, ["rollback", ...STORE, "--index", "nowhere", "--to", "1"]],
    [1, /no index named nowhere/u, ["gc", ...STORE, "--index", "nowhere"]],
    [1, /no index named nowhere/u, ["export", ...STORE, "--index", "nowhere", "--to", join(folder, "x")]],
    [1, /has no version "77"/u, ["export", ...INDEX, "--version", "77", "--to", join(folder, "x")]],
    [1, /has no version "77"/u, ["check", ...INDEX, "--version", "77"]],
  ])("exits with %d and says %s", async (wanted, message, words) => {
    const { code, stdout, stderr } = await lightedge(...words);
    expect({ code, stdout }).toEqual({ code: wanted, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(readdirSync(folder).toSorted()).toEqual(["one.jsonl", "store"]);
  });

  it("changes nothing of an index whose pointer is of a newer format", async () => {
    const key = `indexes/${TINY}/current.json`;
    const path = join(folder, "store", key);
    const before = readFileSync(path);
    const { pointer } = await readExisting(store, TINY);
    const newer = new TextDecoder().decode(serializePointer(pointer)).replace('"format": 1', '"format": 2');
    writeFileSync(path, newer);
    for (const words of [
      ["versions", ...INDEX],
      ["rollback", ...INDEX, "--to", "1"],
      ["gc", ...STORE],
      ["check", ...INDEX],
    ]) {
      const { code, stderr } = await lightedge(...words);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining("has format 2; this version reads up to 1"),
      });
    }
    expect(readFileSync(path, "utf8")).toBe(newer);
    writeFileSync(path, before);
    expect((await checkStore(store)).problems).toEqual([]);
  });
});
