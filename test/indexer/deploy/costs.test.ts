/** The cost table of docs/regions.md, computed: list prices times operations, which are counted here where they can be. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Random } from "../../../indexer/random.ts";
import type { EncodedQuery } from "../../../shared/engine/encoded-query.ts";
import { remoteShards } from "../../../shared/engine/remote-shards.ts";
import { NEAR_POOL, type Proposal, type ScoredDocuments } from "../../../shared/engine/shard-contract.ts";
import type { ShardAddress, ShardCallName, ShardCalls, ShardPort } from "../../../shared/engine/wire.ts";
import type { Sha256 } from "../../../shared/hash.ts";

const PAGE = readFileSync(fileURLToPath(new URL("../../../docs/regions.md", import.meta.url)), "utf8");

/** Dollars for a million, of the paid plan beyond what it includes. The page has date and source. */
const PRICE = { request: 0.3, cpuMs: 0.02, objectRequest: 0.15, objectGbs: 12.5, row: 0.001 } as const;
/** GB that an object counts as. */
const OBJECT_GB = 0.128;
/** What is set and not counted: CPU of the Worker, and time in each object for the calls of one query, in ms. */
const WORKER_MS = 5;
const OBJECT_MS = 10;
/** Rows read for one that is wanted: the list that names it counts as well. */
const READS_A_ROW = 2;

/** Calls of objects, and documents scored, in one query of an index of this many shards, which propose all they may. */
async function countQuery(shards: number): Promise<{ readonly calls: number; readonly documents: number }> {
  const random = new Random(7);
  const counts = { calls: 0, documents: 0 };
  const scores = (length: number) => Float32Array.from({ length }, () => random.below(2 ** 24));
  const proposal = (length: number, first: number): Proposal => ({
    documents: Uint32Array.from({ length }, (_, at) => first + at),
    scores: scores(length),
  });
  const answers: { readonly [Name in ShardCallName]?: (request: ShardCalls[Name]["request"]) => unknown } = {
    propose: () => ({
      proposals: {
        dense: proposal(NEAR_POOL.dense, 0),
        sparse: proposal(NEAR_POOL.sparse, 10_000),
        matches: 1000,
        living: 50_000,
        impactScale: 1,
      },
      hidden: new Uint16Array(0),
    }),
    score: ({ documents }): ScoredDocuments => {
      const n = documents.length;
      counts.documents += n;
      return {
        documents,
        dense: new Float64Array(n),
        chunks: new Uint32Array(n),
        sparse: new Int32Array(n),
        places: new Uint32Array(2 * n),
        ids: new Uint8Array(n),
        idStarts: Uint32Array.from({ length: n + 1 }, (_, at) => at),
      };
    },
  };
  const port: ShardPort = {
    async ask(name, _address, request) {
      counts.calls++;
      // Safe: the answer is the one of the call that it is looked up by.
      return (answers[name] as (request: unknown) => never)(request);
    },
  };
  const addresses = Array.from({ length: shards }, (_, ordinal): ShardAddress => {
    const sha256 = "0".repeat(64) as Sha256;
    return { region: "weur", index: "docs", manifest: { key: "", sha256, bytes: 1 }, ordinal, sha256 };
  });
  const query = { dense: null, sparse: { scale: 1 } } as unknown as EncodedQuery;
  await remoteShards({ port, now: () => 0 }, addresses).find(query, { deep: false, terms: null });
  return counts;
}

/** A line of the table. */
function lineOf(name: string, shards: number, calls: number, rows: number): string {
  const worker = PRICE.request + WORKER_MS * PRICE.cpuMs;
  const objectMs = shards * OBJECT_MS;
  const objects = calls * PRICE.objectRequest + (objectMs / 1000) * OBJECT_GB * PRICE.objectGbs;
  const read = rows * PRICE.row;
  const dollars = (amount: number) => `$${amount.toFixed(2)}`;
  const cells = [
    ...[name, 1, `${WORKER_MS} ms`, calls, `${objectMs} ms`, rows.toLocaleString("en")],
    ...[worker, objects, read, worker + objects + read].map(dollars),
  ];
  return `| ${cells.join(" | ")} |`;
}

describe("the cost table", () => {
  it.each([
    ["small, in the Worker", 0],
    ["100,000 chunks, 2 shards", 2],
    ["1,000,000 chunks, 16 shards", 16],
  ])("says what operations and prices come to: %s", async (name, shards) => {
    const { calls, documents } = shards === 0 ? { calls: 0, documents: 0 } : await countQuery(shards);
    expect(calls).toBe(2 * shards);
    // A row for each, where none share one and none is in memory.
    expect(PAGE).toContain(lineOf(name, shards, calls, READS_A_ROW * documents));
  });

  it("counts the documents that are scored once, over however many shards they are", async () => {
    for (const shards of [1, 2, 5, 16])
      expect((await countQuery(shards)).documents).toBe(NEAR_POOL.dense + NEAR_POOL.sparse);
  });
});
