/** A real index from a folder to a bucket: the stores that runs use, and the wire between. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkStore } from "../../../indexer/check-store.ts";
import { replicate } from "../../../indexer/regions/replicate.ts";
import { FolderStore } from "../../../indexer/store/folder.ts";
import { PUBLISH_PORTS } from "../../../indexer/store/publish.ts";
import { S3Store } from "../../../indexer/store/s3.ts";
import { openIndex } from "../../../shared/engine/open.ts";
import { MIB } from "../../../shared/limits.ts";
import type { SearchAnswer } from "../../../shared/types.ts";
import { S3Server } from "../../helpers/s3-server.ts";
import { buildTiny, requestFor, TINY, tinyPorts } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";

const folder = mkdtempSync(join(tmpdir(), "lightedge-regions-s3-"));
const home = new FolderStore(folder);
let server: S3Server;
beforeAll(async () => {
  server = await S3Server.start();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** What a search finds, without when and where. */
function found({ hits, total, version }: SearchAnswer) {
  return JSON.parse(JSON.stringify({ hits, total, version })) as unknown;
}

describe("a region in a bucket", () => {
  it("answers to the bit as home in a folder does, version after version, and is sound to the last byte", async () => {
    const region = new S3Store(server.place());
    for (const documents of [tinyDocuments(200), tinyDocuments(210), tinyDocuments(150)]) {
      await buildTiny({ store: home, source: sourceOf(documents), shardChunks: 100, allowShrink: true });
      const report = await replicate({ home, region, index: TINY, verify: "new" }, PUBLISH_PORTS);
      expect(report.moved).toBe(true);
      expect(await checkStore(region)).toMatchObject({ problems: [] });
      const [there, here] = await Promise.all(
        [region, home].map(async (store) =>
          openIndex(await tinyPorts(store), TINY, { residentBytes: 64 * MIB }),
        ),
      );
      for (const q of ["river boat", "song", "tea and the moon"])
        expect(found(await there!.search(requestFor(q)))).toEqual(found(await here!.search(requestFor(q))));
    }
    const again = await replicate({ home, region, index: TINY, verify: "full" }, PUBLISH_PORTS);
    expect(again).toMatchObject({ moved: false, copied: 0, repaired: 0, seq: 3 });
  });
});
