/** A store over an S3 server that goes wrong as it is told. */
import { afterAll } from "vitest";
import type { RetryPorts } from "../../../indexer/store/retry.ts";
import { S3_SETTINGS, S3Store } from "../../../indexer/store/s3.ts";
import { bytes } from "../../contract/store-reads.ts";
import { S3Server } from "../../helpers/s3-server.ts";

/** The server. Tests tell it what goes wrong. */
export const server = await S3Server.start();
afterAll(() => server.close());

/** Milliseconds of all pauses since `freshStore`, of which none is made in truth. */
export const waits: number[] = [];
/** What stores are given for their retries. */
export const ports: RetryPorts = {
  now: () => performance.now(),
  random: () => 0,
  pause: async (ms) => {
    waits.push(ms);
  },
};

/** A store over the server, which goes wrong no more and holds `a` alone, ten bytes. */
export async function freshStore(): Promise<S3Store> {
  server.calm();
  server.objects.clear();
  server.uploads.clear();
  waits.length = 0;
  const store = new S3Store(server.place(), S3_SETTINGS, { retry: ports });
  await store.put("a", bytes("0123456789"));
  server.calm();
  return store;
}

/** What is thrown where a store may answer later. */
export const UNAVAILABLE = { code: "store/unavailable" };
