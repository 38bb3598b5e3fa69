import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { lightedge } from "../helpers/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "lightedge-cli-"));
const STORE = ["--store", `file:${folder}/store`];
afterAll(() => rmSync(folder, { recursive: true }));

/** Every command, and whether it prints a result. */
const COMMANDS = [
  ["index", true],
  ["reindex", true],
  ["serve", false],
  ["search", true],
  ["eval", true],
  ["bench", true],
  ["check", true],
  ["info", true],
  ["versions", true],
  ["rollback", true],
  ["regions", true],
  ["replicate", true],
  ["deploy", true],
  ["warm", true],
  ["gc", true],
  ["export", true],
  ["prior", true],
  ["demo", false],
] as const;

describe.concurrent("lightedge", () => {
  it("lists its commands with --help", async () => {
    const { code, stdout, stderr } = await lightedge("--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const [name] of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, "mu"));
  });

  it("shows the same and exits with 2 where no command is given", async () => {
    const [bare, help] = await Promise.all([lightedge(), lightedge("--help")]);
    expect(bare.code).toBe(2);
    expect(bare.stdout).toBe(help.stdout);
  });

  it("refuses a command that it lacks, by its name and with the list", async () => {
    const { code, stdout, stderr } = await lightedge("serach", "query");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain('There is no command "serach".');
    expect(stderr).toContain("Usage: lightedge COMMAND");
  });

  it.each(COMMANDS)("explains %s, with --json where it prints a result: %s", async (name, prints) => {
    const { code, stdout, stderr } = await lightedge(name, "--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.startsWith(`Usage: lightedge ${name} `)).toBe(true);
    expect(stdout.includes("--json ")).toBe(prints);
  });
});

describe.concurrent("a command line that is not understood", () => {
  it.each([
    ["a search without an index", ["search", "query"], /--index is required/u],
    ["a limit of 0", ["search", "query", "--index", "a", "--limit", "0"], /--limit .*at least 1, not "0"/u],
    [
      "a limit beyond all bounds",
      ["search", "query", "--index", "a", "--limit", "1e9"],
      /--limit .*at most \d+/u,
    ],
    ["a limit that is no number", ["search", "query", "--index", "a", "--limit", "x"], /--limit .*not "x"/u],
    ["a mode that there is not", ["search", "query", "--index", "a", "--mode", "both"], /--mode .*hybrid/u],
    ["a search without a query", ["search", "--index", "a"], /takes "QUERY", not 0/u],
    ["a search for nothing", ["search", "  ", "--index", "a"], /QUERY must not be empty/u],
    ["an option that there is not", ["search", "query", "--index", "a", "--limmit", "3"], /--limmit/u],
    ["a name that no index can have", ["info", "--index", "../a"], /cannot name an index/u],
    [
      "a part that is none",
      ["index", folder, "--index", "a", "--part", "9/8"],
      /--part must be a part of all, .*such as 3\/8/u,
    ],
    [
      "a time without a unit",
      ["index", folder, "--index", "a", "--lock-wait", "60"],
      /--lock-wait must be a number of s, m, h or d/u,
    ],
    ["a collection that is none", ["eval", folder], /is no test collection/u],
  ])("exits with 2 and names what is wrong: %s", async (_, words, message) => {
    const { code, stdout, stderr } = await lightedge(...words, ...STORE);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    // One sentence for the user, no stack.
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });

  it("gives the error as JSON too where --json was asked for", async () => {
    const { code, stdout } = await lightedge(
      "search",
      "q",
      "--index",
      "a",
      "--limit",
      "0",
      "--json",
      ...STORE,
    );
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "usage/invalid", field: "limit", value: '"0"', limit: 1 },
    });
  });
});

describe.concurrent("a config file that is not understood", () => {
  it.each([
    ["one that is not there", null, /There is no config file .*lightedge\.yaml\. Name yours/u],
    [
      "one with a key of a newer version",
      "name: a\nstore: file:b\ntenants: []\n",
      /:3: the key "tenants" is not known/u,
    ],
    ["one without an index", "name: a\nstore: file:b\n", /:1: the file must have the key indexes/u],
  ])("exits with 2, one sentence and nothing done: %s", async (what, text, message) => {
    const file = join(folder, what.replaceAll(" ", "-"), "lightedge.yaml");
    if (text !== null) {
      mkdirSync(dirname(file));
      writeFileSync(file, text);
    }
    const { code, stdout, stderr } = await lightedge("reindex", file);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });

  it("is named once: two names are refused", async () => {
    const { code, stderr } = await lightedge("reindex", "a.yaml", "--config", "b.yaml");
    expect(code).toBe(2);
    expect(stderr).toContain('Two config files are named, "a.yaml" and "b.yaml"');
  });
});

describe.concurrent("an index that is missing", () => {
  it.each([["info"], ["check"], ["search", "query"]])("makes %s exit with 1 and say so", async (...words) => {
    const { code, stdout, stderr } = await lightedge(...words, "--index", "nowhere", ...STORE);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("nowhere");
    expect(stderr).toMatch(/no index/u);
  });

  it("keeps a server of an empty store from starting", async () => {
    const { code, stderr } = await lightedge("serve", "--port", "0", ...STORE);
    expect(code).toBe(1);
    expect(stderr).toContain("The store holds no index.");
  });
});
