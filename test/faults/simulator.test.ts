/** Random schedules over one store, and that the same seed is the same schedule. The long run is bench/faults/simulate.ts. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MemoryStore } from "../../shared/store/memory.ts";
import { documentOf, tinyDocuments } from "../helpers/tiny-corpus.ts";
import { audit } from "../sim/auditor.ts";
import { simulateBuilds } from "../sim/builds/simulate.ts";
import { repeatCommand, type Simulated, simulate } from "../sim/simulate.ts";
import { digestInPlace } from "../sim/sync-digest.ts";
import { indexTiny } from "../sim/tiny.ts";

const SCHEDULES = 200;
const BUILDS = 4;

let restore: () => void;
beforeAll(() => {
  restore = digestInPlace();
});
afterAll(() => restore());

describe("a schedule", () => {
  it("is the same to the last step each time its seed is run, and another for another seed", async () => {
    const traces = new Set<string>();
    for (let seed = 1; seed <= 12; seed++) {
      const once = await simulate(seed);
      expect(await simulate(seed)).toEqual(once);
      traces.add(once.trace);
    }
    expect(traces.size).toBe(12);
  });

  it("names the command that repeats it", () => {
    expect(repeatCommand(7)).toBe("node bench/faults/simulate.ts --seed 7 --schedules 1 --verbose");
  });
});

describe("indexers, rollbacks, collections and readers at once", () => {
  it(`lose, double and mix nothing in ${SCHEDULES} schedules with crashes, lost answers and sleepers`, async () => {
    const all: Simulated[] = [];
    for (let seed = 1001; seed <= 1000 + SCHEDULES; seed++) all.push(await simulate(seed));
    const broken = all
      .filter(({ violations }) => violations.length > 0)
      .map(({ seed, violations }) => ({ repeat: repeatCommand(seed), violations }));
    expect(broken).toEqual([]);
    // Not for want of trying.
    const sum = (what: "versions" | "deleted" | "steps") =>
      all.reduce((total, each) => total + each[what], 0);
    expect(sum("versions")).toBeGreaterThan(5 * SCHEDULES);
    expect(sum("deleted")).toBeGreaterThan(5 * SCHEDULES);
    expect(sum("steps")).toBeGreaterThan(200 * SCHEDULES);
  });

  it(`give what plain loops over the documents give, in ${BUILDS} schedules over real indexes`, async () => {
    for (let seed = 1; seed <= BUILDS; seed++) {
      const { versions, violations } = await simulateBuilds(seed);
      expect({ repeat: repeatCommand(seed, " --builds"), violations }).toMatchObject({ violations: [] });
      expect(versions).toBeGreaterThan(0);
    }
  });
});

describe("the auditor", () => {
  it("agrees with a whole index, and misses a document that is gone, changed or too many", async () => {
    const store = new MemoryStore();
    const documents = tinyDocuments(20);
    await indexTiny(store, documents);
    const queries = ["the king and queen", "harbour", "xyzzy"];
    expect(await audit(store, documents, queries)).toEqual([]);
    const last = documents.at(-1)!;
    const others = [
      documents.slice(0, -1),
      [...documents, documentOf("new", { text: "A harbour." })],
      [...documents.slice(0, -1), documentOf(last.id, { text: "The king and the queen of the harbour." })],
    ];
    for (const other of others) expect(await audit(store, other, queries)).not.toEqual([]);
  });
});
