/** Publishing into a bucket whose server fails a share of all requests, before or after it has carried them out. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Random } from "../../indexer/random.ts";
import { S3_SETTINGS, S3Store } from "../../indexer/store/s3.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { type Answer, S3Server, type Spoiling, s3Error } from "../helpers/s3-server.ts";
import { publishTexts, readTexts, testPorts } from "../helpers/tiny-index.ts";

const RETRY = { now: () => performance.now(), random: () => 0, pause: async () => {} };
const PAGE: Answer = { status: 200, headers: { "content-type": "text/html" }, body: "<html>Hello</html>" };
const WAYS: readonly Spoiling[] = [
  { reset: "before" },
  { reset: "after" },
  { cut: true },
  { instead: s3Error(500, "InternalError") },
  { instead: s3Error(500, "InternalError"), after: true },
  { instead: s3Error(503, "SlowDown") },
  { instead: s3Error(409, "ConditionalRequestConflict") },
  { instead: s3Error(429, "TooManyRequests") },
  { instead: PAGE, after: true },
];

let server: S3Server;
beforeAll(async () => {
  server = await S3Server.start();
});
afterAll(() => server.close());
beforeEach(() => {
  server.calm();
  server.objects.clear();
});

/** Twelve versions of six texts, each version with some of the one before; what became of each. */
async function publishAll(seed: number, share: number): Promise<readonly string[]> {
  const random = new Random(seed);
  server.spoil(() => (random.below(1000) < share * 1000 ? random.pick(WAYS) : null));
  const store = new S3Store(server.place(), S3_SETTINGS, { retry: RETRY });
  const ends: string[] = [];
  for (let version = 1; version <= 12; version += 1) {
    const texts = Array.from({ length: 6 }, (_, n) => `text ${version + n}`);
    const end = await publishTexts(store, "docs", texts, testPorts(version)).then(
      ({ kind }) => kind,
      (error: unknown) => {
        if (error instanceof LightedgeError && error.code === "store/unavailable") return "failed";
        throw error;
      },
    );
    ends.push(end);
  }
  server.spoil(() => null);
  return ends;
}

/** The last version that is known to be current, and all that may have become so since. */
function possible(ends: readonly string[]): readonly number[] {
  const last = ends.lastIndexOf("committed");
  return ends.flatMap((end, n) => (n === last || (n > last && end === "unknown") ? [n + 1] : []));
}

describe("publishing into a bucket that fails", () => {
  it.each([0.001, 0.01, 0.05])("gets every version through where %d of all requests fail", async (share) => {
    const ends = await publishAll(1, share);
    expect(ends).toEqual(Array.from({ length: 12 }, () => "committed"));
    expect((await readTexts(new S3Store(server.place()), "docs"))?.[0]).toBe("text 12");
  });

  it.each([0.1, 0.5])(
    "publishes whole versions or says that it did not, where %d of all requests fail",
    async (share) => {
      for (let seed = 1; seed <= 8; seed += 1) {
        server.objects.clear();
        const ends = await publishAll(seed, share);
        expect(ends).not.toContain("conflict");
        // Reads check every byte against its digest.
        const texts = await readTexts(new S3Store(server.place()), "docs");
        const first = texts === null ? null : Number(texts[0]?.slice("text ".length));
        const allowed: readonly (number | null)[] = ends.includes("committed") ? [] : [null];
        expect([...possible(ends), ...allowed]).toContain(first);
      }
    },
  );
});
