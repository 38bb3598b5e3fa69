/** A short soak: the whole of `bench/soak/soak.ts`, for some seconds. How fast it goes is nobody's business here. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { soak } from "../../../bench/soak/run.ts";
import { total } from "../../../bench/soak/tally.ts";

describe("a deployment of two regions with failing stores, evictions, runs and cuts", () => {
  it("answers right, or says what is missing, or that it cannot", { timeout: 240_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "lightedge-soak-"));
    const notes: string[] = [];
    try {
      const stretches = await soak({
        ...{ seed: 7, seconds: 14, folder, regions: ["weur", "enam"], latency: false },
        // Above the budget, so that its shards lie in objects; the table fits it twice.
        ...{ documents: 1200, shardChunks: 900, residentBytes: 800_000, connections: 3, failing: 0.05 },
        ...{ evictEveryS: 1, reindexEveryS: 4, cutEveryS: 5, cutForS: 2, stretchS: 60 },
        note: (text) => notes.push(text),
      });
      const all = total(stretches);
      expect(all.examples).toEqual([]);
      expect(all).toMatchObject({ wrong: 0, silent: 0 });
      expect(all.errors.internal).toBe(undefined);
      expect(all.right).toBeGreaterThan(0);
      expect(all.evictions).toBeGreaterThan(0);
      expect(all.published).toBeGreaterThan(1);
      expect(all.cuts).toBeGreaterThan(0);
      expect(notes.some((note) => /^published .* shards, in weur/u.test(note))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
