/** What `lightedge serve` refuses, before anything is started. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseArguments } from "../../../indexer/commands/command.ts";
import { serveCommand } from "../../../indexer/commands/serve.ts";

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
