import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStore } from "../../../indexer/store/open.ts";
import { S3Store } from "../../../indexer/store/s3.ts";
import { bytes } from "../../contract/store-reads.ts";

describe("openStore", () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "lightedge open-"));
  });
  afterAll(() => rm(root, { recursive: true }));

  it.each([
    ["an absolute path", () => `file:${root}`],
    ["a path relative to the working folder", () => `file:${relative(process.cwd(), root)}`],
    ["a file URL with escapes", () => pathToFileURL(root).href],
  ])("opens a folder by %s", async (name, url) => {
    const key = name.replaceAll(" ", "-").toLowerCase();
    await openStore(url()).put(key, bytes(name));
    expect(await readFile(join(root, key), "utf8")).toBe(name);
  });

  it.each(["r2://bucket", "s3://bucket/folder?endpoint=http://127.0.0.1:9&region=x-1"])(
    "opens the bucket of %s and sends nothing yet",
    (url) => {
      expect(openStore(url, { CLOUDFLARE_ACCOUNT_ID: "0".repeat(32) })).toBeInstanceOf(S3Store);
    },
  );

  it.each(["", "file:", "folder", "/folder", "http://host/x", "file://host/x", "file:a\0b", "FILE:x"])(
    "refuses %j and names the option",
    (url) => {
      expect(() => openStore(url)).toThrow(
        expect.objectContaining({
          code: "usage/invalid",
          details: expect.objectContaining({ field: "store" }),
        }),
      );
    },
  );
});
