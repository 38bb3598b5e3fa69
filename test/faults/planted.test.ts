/** Bugs that are planted in publishing and collecting, each caught by random schedules, or the schedules are worth nothing. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import type { Caught } from "../../bench/faults/planted.ts";
import { PLANTED } from "../sim/planted/bugs.ts";
import { plant } from "../sim/planted/load.ts";

const ROOT = new URL("../../", import.meta.url);
/** The others take minutes; bench/faults/planted.ts runs them. */
const QUICK = PLANTED.filter(({ scene }) => scene !== "builds");
const COMMAND = fileURLToPath(new URL("../../bench/faults/planted.ts", import.meta.url));

let found: ReadonlyMap<string, Caught>;
beforeAll(async () => {
  // A process of its own: the bugs are planted as modules are loaded.
  const ends = await promisify(execFile)(process.execPath, [COMMAND, "--json", "--quick"], {
    encoding: "utf8",
  }).catch((error: { readonly stdout: string }) => error);
  const lines = ends.stdout.split("\n").filter((line) => line !== "");
  found = new Map(lines.map((line): Caught => JSON.parse(line)).map((caught) => [caught.name, caught]));
});

describe("a planted bug", () => {
  it("is one of more than twenty, no two of the same name", () => {
    expect(new Set(PLANTED.map(({ name }) => name)).size).toBe(PLANTED.length);
    expect(PLANTED.length).toBeGreaterThan(20);
  });

  it.each(QUICK.map(({ name, within }) => [name, within] as const))(
    "is caught: %s, within %i schedules",
    (name) => {
      expect(found.get(name)).toMatchObject({ schedules: expect.any(Number) });
    },
  );

  it.each(PLANTED.map((bug) => [bug.name, bug] as const))("still fits its file: %s", async (_, bug) => {
    const text = await readFile(new URL(bug.file, ROOT), "utf8");
    expect(plant(bug, text)).not.toBe(text);
  });
});
