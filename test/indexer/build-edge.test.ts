import { readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { buildEdge } from "../../indexer/build-edge.ts";

const built = (name: string) => fileURLToPath(new URL(`../../build/${name}`, import.meta.url));

describe("the build of the edge", () => {
  beforeAll(buildEdge);

  test("does nothing when nothing has changed", async () => {
    const before = await stat(built("worker/index.js"));
    const started = performance.now();
    await buildEdge();
    expect(performance.now() - started).toBeLessThan(500);
    expect((await stat(built("worker/index.js"))).mtimeMs).toBe(before.mtimeMs);
  });

  test("makes one page that asks for nothing else and loads in an instant", async () => {
    const page = await readFile(built("page.html"), "utf8");
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toMatch(/<script[^>]* src=|<link[^>]* rel="stylesheet"|url\(|@import/);
    expect(Buffer.byteLength(page)).toBeLessThan(48 * 1024);
  });

  test("makes a Worker within the size that Cloudflare takes", async () => {
    // 3 MB compressed on the free plan; uncompressed is the stricter reading of it.
    expect((await stat(built("worker/index.js"))).size).toBeLessThan(1024 * 1024);
  });
});
