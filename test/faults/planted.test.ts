/** Bugs that are planted in publishing and collecting, each caught by random schedules, or the schedules are worth nothing. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import type { Caught } from "../../bench/faults/planted.ts";
import { PLANTED } from "../sim/planted/bugs.ts";

const COMMAND = fileURLToPath(new URL("../../bench/faults/planted.ts", import.meta.url));

let found: ReadonlyMap<string, Caught>;
beforeAll(async () => {
  // A process of its own: the bugs are planted as modules are loaded.
  const ends = await promisify(execFile)(process.execPath, [COMMAND, "--json"], { encoding: "utf8" }).catch(
    (error: { readonly stdout: string }) => error,
  );
  const lines = ends.stdout.split("\n").filter((line) => line !== "");
  found = new Map(lines.map((line): Caught => JSON.parse(line)).map((caught) => [caught.name, caught]));
});

describe("a planted bug", () => {
  it("is one of more than twenty, no two of the same name", () => {
    expect(new Set(PLANTED.map(({ name }) => name)).size).toBe(PLANTED.length);
    expect(PLANTED.length).toBeGreaterThan(20);
  });

  it.each(PLANTED.map(({ name, within }) => [name, within] as const))(
    "is caught: %s, within %i schedules",
    (name) => {
      expect(found.get(name)).toMatchObject({ schedules: expect.any(Number) });
    },
  );
});
