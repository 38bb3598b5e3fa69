/** Documents that died between versions, and writes at the edge, over shards in Durable Objects: as over shards in memory, to the bit. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobsOf, residentBytesOf } from "../../../shared/format/manifest.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import { MODES, type SearchAnswer } from "../../../shared/types.ts";
import { type ShardRuntime, startShardRuntime, WHOLE } from "../../helpers/shard-runtime.ts";
import { buildTiny, requestFor, TINY } from "../../helpers/tiny-build.ts";
import { documentOf, sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { ADMIN_KEY } from "../../helpers/writing-app.ts";

let store: MemoryStore;
let server: ShardRuntime;

beforeAll(async () => {
  const documents = tinyDocuments(260);
  const first = await buildTiny({ source: sourceOf(documents), shardChunks: 200 });
  ({ store } = first);
  // The next version keeps the shards: some documents are gone, some are new, some say something else.
  const next = documents
    .filter((_, at) => at % 9 !== 4)
    .map((document, at) =>
      at % 31 === 3 ? documentOf(document.id, { text: "The harbour and the queen." }) : document,
    );
  const second = await buildTiny({
    store,
    source: sourceOf([...next, documentOf("new", { text: "A comet." })]),
    shardChunks: 200,
  });
  const { manifest } = second;
  expect(blobsOf(manifest, "tombstones").length).toBe(1);
  const old = new Set(blobsOf(first.manifest, "shard").map(({ sha256 }) => sha256));
  expect(blobsOf(manifest, "shard").some(({ sha256 }) => old.has(sha256))).toBe(true);
  server = await startShardRuntime({
    ...{ store, adminKey: ADMIN_KEY, routerBytes: residentBytesOf(manifest) - 1 },
    variables: { POINTER_MAX_AGE: "0.1" },
  });
}, 60_000);
afterAll(() => server?.close());

const numbers = ({ hits, total, partial, warnings }: SearchAnswer) => ({ hits, total, partial, warnings });

async function expectSame(): Promise<void> {
  for (const q of ["the queen in the harbour", "comet orbit", "river boat and the song", "zebra anchor"]) {
    for (const mode of MODES) {
      for (const offset of [0, 205]) {
        const request = requestFor(q, { mode, explain: offset === 0, offset, limit: 60 });
        const answer = await server.search(TINY, request);
        expect(answer.placement).toBe("objects");
        expect(numbers(answer)).toEqual(numbers(await server.search(TINY, request, WHOLE)));
      }
    }
  }
}

/** A write, and the answer of the Worker without objects once it knows of it. */
async function write(method: "PUT" | "DELETE", id: string, fields?: object): Promise<void> {
  const path = `/v1/indexes/${TINY}/documents/${id}`;
  const taken = await server.ask(path, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    ...(fields === undefined ? {} : { body: JSON.stringify(fields) }),
  });
  expect(taken.status).toBe(202);
  const { write: name } = taken.body as { write: string };
  for (const worker of [undefined, WHOLE]) {
    const { status } = await server.ask(`${path}?min_write=${name}`, {}, worker);
    expect(status).toBe(method === "PUT" ? 200 : 404);
  }
}

describe("an index in objects", () => {
  it("leaves out the dead of its version", async () => {
    await expectSame();
    expect((await server.ask(`/v1/indexes/${TINY}/documents/${tinyDocuments(5)[4]!.id}`)).status).toBe(404);
  });

  it("finds what was written, hides what it replaced or deleted, and explains both", async () => {
    await write("PUT", "zebra", { title: "Zebra", text: "A zebra and an anchor in the harbour." });
    await expectSame();
    await write("PUT", "d20", { text: "The queen had an anchor." });
    await write("DELETE", "d21");
    await write("DELETE", "nobody");
    await expectSame();
    await write("PUT", "d21", { text: "Back again by the river." });
    await write("DELETE", "zebra");
    await expectSame();
  });

  it("answers rightly while writes come in", async () => {
    let over = false;
    const writing = (async () => {
      for (let at = 0; at < 25; at++)
        await write("PUT", `w${at % 7}`, { text: `The song of river ${at} and the boat.` });
      over = true;
    })();
    let answers = 0;
    while (!over) {
      const { hits, partial } = await server.search(
        TINY,
        requestFor("song river boat", { explain: true, limit: 30 }),
      );
      answers++;
      expect(partial).toBe(false);
      expect(new Set(hits.map(({ id }) => id)).size).toBe(hits.length);
      // The words' shares add up to the score only where evidence and score are of one document.
      for (const { dense, sparse, explain } of hits) {
        const sum = (side: "dense" | "sparse") =>
          explain!.words.reduce((total, word) => total + word[side], 0);
        expect(sum("dense")).toBeCloseTo(dense, 6);
        expect(sum("sparse")).toBeCloseTo(sparse, 6);
      }
    }
    await writing;
    expect(answers).toBeGreaterThan(3);
    await expectSame();
  });
});
