/** Parts that are stopped, and what the next run finds of them. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { SLICE } from "../../../indexer/encode/cache.ts";
import type { Encoder } from "../../../indexer/encode/encoder.ts";
import { partEncoder } from "../../../indexer/encode/part.ts";
import { FolderStore } from "../../../indexer/store/folder.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";
import { HASH, newFolder, packsIn, runPart, runWhole } from "./part-runs.ts";
import { numberedTexts, WANTED } from "./texts.ts";

describe("a part that is stopped", () => {
  it("by its encoder goes on from what it had saved, and puts all of it into the store", async () => {
    const store = new MemoryStore();
    const folder = newFolder();
    const texts = numberedTexts(0, 3 * SLICE);
    const inner = tinyEncoder();
    const failing: Encoder = {
      ...inner,
      encode: (some, wanted) =>
        inner.encoded.length >= 2 * SLICE
          ? Promise.reject(new Error("no power"))
          : inner.encode(some, wanted),
    };
    const options = { store, folder, warn: () => {} };
    const stopped = await partEncoder(failing, { number: 1, of: 1 }, options);
    await expect(stopped.encode(texts, WANTED)).rejects.toThrow("no power");
    expect(await packsIn(store)).toEqual([]);
    const again = await runPart(store, { number: 1, of: 1 }, { folder, texts });
    expect(again.encoded).toEqual(texts.slice(2 * SLICE));
    expect(again.counts.copied).toBe(2 * SLICE);
    expect((await runWhole(store, newFolder(), texts)).encoded).toEqual([]);
    await stopped.close();
  });

  it("by kill -9, again and again, loses what was not stored yet and nothing else", async () => {
    const [folder, place] = [newFolder(), newFolder()];
    const script = fileURLToPath(new URL("./part-writer.ts", import.meta.url));
    const count = 12 * SLICE;
    const write = (dieAfter: number) =>
      spawnSync(process.execPath, [script, folder, place, String(count), String(dieAfter)], {
        encoding: "utf8",
      });
    // The first is killed after its first pack, the second before, and the third without a cache of its own.
    expect(write(7 * SLICE).signal).toBe("SIGKILL");
    expect(write(2 * SLICE).signal).toBe("SIGKILL");
    rmSync(join(folder, HASH.slice(0, 16)), { recursive: true });
    const last = write(Number.POSITIVE_INFINITY);
    expect(last.status).toBe(0);
    // Seven slices were done and five of them stored; two more were done after that, and lost with the disk.
    expect(JSON.parse(last.stdout)).toMatchObject({ own: count, done: 7 * SLICE, copied: 0 });
    const store = new FolderStore(place);
    const whole = await runWhole(store, newFolder(), numberedTexts(0, count));
    expect(whole.encoded).toEqual([]);
    expect(whole.warnings).toEqual([]);
  });

  it("at any operation of the store, once before and once after it landed, is finished by the next", async () => {
    for (const fault of ["crash", "crash after"] as const) {
      let at = 0;
      for (let done = false; !done; at++) {
        const store = new MemoryStore();
        const folder = newFolder();
        const faulty = new FaultStore(store, at, fault);
        await runPart(faulty, { number: 1, of: 2 }, { folder }).then(
          () => {
            done = true;
          },
          (error) => expect(error).toMatchObject({ code: "store/unavailable" }),
        );
        const again = await runPart(store, { number: 1, of: 2 }, { folder });
        // The pack was sealed before it was sent: nothing is encoded twice, nor stored twice.
        expect(again.encoded.length === 0 || at === 0, `${fault} ${at}`).toBe(true);
        await runPart(store, { number: 2, of: 2 });
        expect((await packsIn(store)).length).toBe(2);
        expect((await runWhole(store)).encoded).toEqual([]);
      }
      expect(at).toBeGreaterThan(1);
    }
  });
});
