import { execFileSync } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { folderOf } from "./files.ts";

const MODULE = fileURLToPath(new URL("../../../indexer/sources/open.ts", import.meta.url));

it("reads a file larger than its memory, a line larger than its memory included", async () => {
  const folder = await folderOf({});
  const file = join(folder, "large.jsonl");
  const text = "some words of a text that goes on. ".repeat(100);
  const handle = await open(file, "w");
  const documents = 17_500;
  for (let i = 0; i < documents; i += 500) {
    const lines = Array.from({ length: 500 }, (_, k) => `{"id":"document-${i + k}","text":"${text}"}\n`);
    await handle.write(lines.join(""));
  }
  for (let i = 0; i < 90; i++) await handle.write("x".repeat(1e6));
  expect((await handle.stat()).size).toBeGreaterThan(150e6);
  await handle.close();

  const script = `
    import { openSource } from ${JSON.stringify(MODULE)};
    let count = 0;
    let rejected = 0;
    for await (const record of (await openSource([${JSON.stringify(file)}])).records()) record.kind === "document" ? count++ : rejected++;
    console.log(JSON.stringify({ count, rejected, peakMiB: process.resourceUsage().maxRSS / 1024 }));`;
  const output = execFileSync(
    process.execPath,
    ["--max-old-space-size=64", "--input-type=module", "-e", script],
    {
      encoding: "utf8",
    },
  );
  const { peakMiB, ...counts } = JSON.parse(output) as { count: number; rejected: number; peakMiB: number };
  expect(counts).toEqual({ count: documents, rejected: 1 });
  // Old space does not count buffers: a reader that kept those would show here.
  expect(peakMiB).toBeLessThan(140);
});
