/** `lightedge serve` as a user runs it: what it refuses before anything is started, and regions in a process of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseArguments } from "../../../indexer/commands/command.ts";
import { serveCommand } from "../../../indexer/commands/serve.ts";
import { FolderStore } from "../../../indexer/store/folder.ts";
import type { SearchAnswer } from "../../../shared/types.ts";
import { tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { indexTiny, TINY } from "../../sim/tiny.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lightedge-serve-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const OUTPUT = { json: false, result: () => undefined };

async function run(...words: string[]): Promise<unknown> {
  const all = ["--store", `file:${folder}`, "--replicas", join(folder, "regions"), ...words];
  return serveCommand.run(parseArguments(serveCommand, all), OUTPUT);
}

describe("serve", () => {
  it.each([
    ["a region that is none", ["--regions", "weur,mars"], "regions", /there is no region "mars"/u],
    ["a region that is nearly one", ["--regions", "weur,apc"], "regions", /Did you mean apac/u],
    ["a region twice", ["--regions", "weur,enam,weur"], "regions", /named twice/u],
    ["no region", ["--regions", ""], "regions", /at least one/u],
    [
      "more regions than there may be",
      ["--regions", Array.from({ length: 17 }, () => "weur").join(",")],
      "regions",
      /17 regions: at most 16/u,
    ],
    [
      "a port that leaves none for the others",
      ["--regions", "weur,enam", "--port", "65535"],
      "port",
      /65536, above 65535/u,
    ],
    ["a port that is none", ["--port", "70000"], "port", /at most 65535/u],
    ["a control that is no port", ["--control", "x"], "control", /a whole number/u],
    ["more memory than an isolate has", ["--memory", "129"], "memory", /at most 128/u],
  ])("refuses %s by the option's name", async (_, words, field, message) => {
    await expect(run(...words)).rejects.toMatchObject({
      code: "usage/invalid",
      message: expect.stringMatching(message),
      details: { field },
    });
  });

  it("says how to make an index where the store has none, with regions or without", async () => {
    for (const words of [[], ["--regions", "weur,enam"]]) {
      await expect(run(...words)).rejects.toMatchObject({
        code: "index/not-found",
        message: expect.stringContaining("lightedge index SOURCE --index NAME"),
        details: { field: "store" },
      });
    }
  });
});

describe("serve --regions", { timeout: 60_000 }, () => {
  let child: ChildProcess | undefined;
  afterAll(() => child?.kill("SIGKILL"));

  it("serves a copy of the store in each region, brings new versions there, and ends when asked to", async () => {
    const store = new FolderStore(join(folder, "store"));
    const first = await indexTiny(store, tinyDocuments(20));
    child = spawn(process.execPath, [
      ...[
        "indexer/bin.mjs",
        "serve",
        "--store",
        `file:${folder}/store`,
        "--replicas",
        join(folder, "copies"),
      ],
      ...["--regions", "weur,enam", "--port", "0", "--no-latency", "--pointer-max-age", "0"],
    ]);
    let output = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    const urlOf = (pattern: RegExp) => pattern.exec(output)?.[1] ?? "";
    await expect.poll(() => urlOf(/Faults are ordered at (\S+)/u), { timeout: 30_000 }).not.toBe("");
    const enam = urlOf(/from enam +(\S+)/u);
    const version = async (url: string) => {
      const answer = await fetch(new URL(`v1/indexes/${TINY}/search?q=boat`, url));
      const { region, version: found } = (await answer.json()) as SearchAnswer;
      return `${region} ${found}`;
    };
    expect(await version(urlOf(/at (\S+)\n/u))).toBe(`weur ${first.version}`);
    expect(await version(enam)).toBe(`enam ${first.version}`);
    expect((await fetch(urlOf(/See the regions at (\S+)/u))).status).toBe(200);
    expect((await fetch(urlOf(/Faults are ordered at (\S+)/u))).status).toBe(200);
    const second = await indexTiny(store, tinyDocuments(25));
    await expect.poll(() => version(enam), { timeout: 20_000, interval: 200 }).toBe(`enam ${second.version}`);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    // Miniflare ends the process by itself when it is asked to end, with the code that says so.
    expect([[0], [143]]).toContainEqual((await ended).slice(0, 1));
    await expect(fetch(enam)).rejects.toThrow();
  });
});
