/** The store over a server that others wrote, so that both ends cannot share one misunderstanding. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { S3_SETTINGS, S3Store } from "../../../indexer/store/s3.ts";
import { describeStore } from "../../contract/store.ts";
import { bytes, textOf } from "../../contract/store-reads.ts";
import { hasMoto, type MotoServer, startMoto } from "../../helpers/moto-server.ts";

if (hasMoto()) {
  let moto: MotoServer;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto.stop());

  describeStore("S3Store over moto", async () => new S3Store(moto.place()));

  describe("S3Store over moto", () => {
    const MIB = 1024 * 1024;

    it("uploads in parts of the least size that is allowed, and reads what it wrote", async () => {
      const parts = { bytes: 5 * MIB, atOnce: 2 };
      const store = new S3Store(moto.place("parts/"), { ...S3_SETTINGS, parts });
      const body = Uint8Array.from({ length: 11 * MIB }, (_, i) => (i * 2654435761) >>> 13);
      const written = await store.putIfAbsent("a", body);
      expect(written).toMatchObject({ kind: "written", etag: expect.stringMatching(/-3$/) });
      expect(Buffer.compare((await store.get("a"))!.body, body)).toBe(0);
      expect(await store.putIfAbsent("a", body)).toEqual({ kind: "conflict" });
      if (written.kind !== "written") return;
      expect(await store.putIfMatch("a", bytes("short"), written.etag)).toMatchObject({ kind: "written" });
      expect(textOf(await store.get("a"))).toBe("short");
    });

    it("is told that there is no such bucket", async () => {
      const store = new S3Store({ ...moto.place(), bucket: "none-such" });
      await expect(store.get("a")).rejects.toMatchObject({
        code: "store/denied",
        message: expect.stringContaining("There is no bucket none-such"),
      });
      await expect(store.putIfAbsent("a", bytes("x"))).rejects.toMatchObject({ code: "store/denied" });
    });
  });
} else {
  describe("S3Store over moto", () => {
    it.skip("needs a python3 with moto[server], which is not on the path", () => {});
  });
}
