/**
 * Whether a store is what it must be for writers to be safe from each other. Some S3 servers take no
 * notice of conditions, some disks reached over a network break their promises, and both look like a store
 * that works until two runs meet. So every run tries it out before it writes anything else.
 */
import { LightedgeError } from "../../shared/errors.ts";
import { toHex } from "../../shared/hash.ts";
import type { PutOutcome, WriteStore } from "../../shared/store/store.ts";

/** Writers that try to replace one version at once. */
const RACERS = 4;

/**
 * Throws `store/unsafe`, saying what the store did wrong, unless conditional writes and the reads after
 * them keep the contract; and whatever the store throws by itself. Tries it on one small object
 * below `probe/`, whose name is 16 bytes of `random`, and removes it. Costs 10 writes of which 3 succeed,
 * 8 reads and 1 delete, of a few bytes each; seconds rather than less where a store takes one write a
 * second for a key, as R2 does.
 */
export async function probeStore(store: WriteStore, random: (bytes: number) => Uint8Array): Promise<void> {
  const key = `probe/${toHex(random(16))}`;
  try {
    await tryOut(store, key);
  } catch (error) {
    // Of two errors the first one says what is wrong.
    await store.delete(key).catch(() => undefined);
    throw error;
  }
}

async function tryOut(store: WriteStore, key: string): Promise<void> {
  // A look at what is not there yet, which a cache in between would remember.
  await expectContent(store, key, null, "before anything was written");
  const first = await store.putIfAbsent(key, bytes("first"));
  if (first.kind !== "written") throw unsafe("refused to create an object that was not there");
  await expectContent(store, key, "first", "after it was created", first.etag);

  await expectConflict(store.putIfAbsent(key, bytes("second")), "created an object over another");
  await expectConflict(store.putIfMatch(key, bytes("second"), otherThan(first.etag)), ANY_VERSION);
  await expectContent(store, key, "first", "after two writes that were refused", first.etag);

  const second = await store.putIfMatch(key, bytes("second"), first.etag);
  if (second.kind !== "written") throw unsafe("refused to replace the version that was there");
  if (second.etag === first.etag) throw unsafe("gave two contents the same etag");
  await expectContent(store, key, "second", "after it was replaced", second.etag);
  await expectConflict(store.putIfMatch(key, bytes("third"), first.etag), "replaced a version that was gone");
  await race(store, key, second.etag);

  const last = await store.head(key);
  await store.delete(key);
  await expectContent(store, key, null, "after it was deleted");
  const upon = last?.etag ?? second.etag;
  await expectConflict(
    store.putIfMatch(key, bytes("fourth"), upon),
    "replaced a version of an object that was gone",
  );
  await expectContent(store, key, null, "after a write that was refused");
}

const ANY_VERSION = "replaced an object whose version was not the one asked for";

/** Conditions that are looked at first and written upon later let two through. */
async function race(store: WriteStore, key: string, etag: string): Promise<void> {
  const racers = Array.from({ length: RACERS }, (_, n) => store.putIfMatch(key, bytes(`racer ${n}`), etag));
  const ends = await Promise.allSettled(racers);
  const winners = ends.flatMap((end, n) =>
    end.status === "fulfilled" && end.value.kind === "written" ? [n] : [],
  );
  // One whose outcome is not known may be the winner.
  const failed = ends.find((end) => end.status === "rejected");
  if (winners.length > 1) throw unsafe("let two writers replace the same version");
  if (failed !== undefined) throw failed.reason;
  if (winners.length === 0) throw unsafe("let none of several writers replace a version");
  await expectContent(store, key, `racer ${winners[0]}`, "after several writers had tried to replace it");
}

async function expectConflict(write: Promise<PutOutcome>, otherwise: string): Promise<void> {
  if ((await write).kind !== "conflict") throw unsafe(otherwise);
}

async function expectContent(
  store: WriteStore,
  key: string,
  text: string | null,
  when: string,
  etag?: string,
): Promise<void> {
  const found = await store.get(key);
  const seen = found === null ? null : new TextDecoder().decode(found.body);
  if (seen !== text) throw unsafe(`did not show an object as it was ${when}`);
  if (etag !== undefined && found?.etag !== etag) {
    throw unsafe(`gave an object another etag than its writer got, ${when}`);
  }
}

/** An etag of the same shape that no version has. */
function otherThan(etag: string): string {
  return (etag[0] === "0" ? "1" : "0") + etag.slice(1);
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function unsafe(what: string): LightedgeError {
  const message = `This store cannot keep an index: it ${what}. Runs that meet in it could lose each other's work. Use a store that honours If-Match and If-None-Match and shows every write at once, such as Amazon S3, Cloudflare R2 or a folder on a local disk; nothing but a probe was written to this one.`;
  return new LightedgeError("store/unsafe", message, { blob: "probe" });
}
