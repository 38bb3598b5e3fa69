/** Index runs as real processes, killed and run at the same time. The long campaign is bench/faults/kill.ts. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { killCampaign, runTogether } from "../sim/kill/campaign.ts";
import { run } from "../sim/kill/process.ts";

const KILLS = 3;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lightedge-kill-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("an index run", () => {
  it(`leaves a whole version, the old or the new, through ${KILLS} kills, and completes when it is run again`, async () => {
    const { kills, completed, violations } = await killCampaign(folder, KILLS, 1);
    expect(violations).toEqual([]);
    expect(kills).toBe(KILLS);
    expect(completed).toBeGreaterThan(0);
  });

  it("dies at the call of the file system that it is told", async () => {
    const whole = await run(folder, 0);
    expect(whole).toMatchObject({ killed: false, code: 0 });
    expect(whole.calls).toBeGreaterThan(20);
    const last = { kind: "call", moment: "after", call: whole.calls } as const;
    expect(await run(folder, 0, last)).toMatchObject({ killed: false, code: 0 });
    expect(await run(folder, 1, { ...last, call: 3 })).toMatchObject({ killed: true, calls: 0 });
  });
});

describe("three runs at once", () => {
  it("make one linear history, and who loses is told so", async () => {
    expect(await run(folder, 0)).toMatchObject({ code: 0 });
    expect(await runTogether(folder, [1, 2, 3])).toEqual([]);
  });
});
