/** The versions of an index as people ask for them: listed, and found by name. */
import { LightedgeError, printable } from "../../shared/errors.ts";
import type { StoredPointer } from "../../shared/format/pointer.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { readClock } from "../../shared/versions/clock.ts";
import { readExisting } from "../../shared/versions/current.ts";
import { history, type Link, type Version, type VersionPlace } from "../../shared/versions/history.ts";

/** A version as it is listed. */
export interface VersionRow {
  readonly version: string;
  readonly seq: number;
  readonly created: string;
  readonly documents: number;
  readonly chunks: number;
  /** Bytes of all blobs it names. */
  readonly bytes: number;
  readonly current: boolean;
  /** Whether everything it needs is there, so that one can roll back to it. */
  readonly whole: boolean;
}

/** Where the list ends: at the first version, at one that was collected, or at one that should be there and cannot be read. */
export type ListEnd =
  | { readonly kind: "first" }
  | { readonly kind: "collected"; readonly version: string }
  | { readonly kind: "broken"; readonly version: string; readonly reason: string };

/** The versions of an index, newest first. */
export interface VersionList {
  readonly versions: readonly VersionRow[];
  readonly end: ListEnd;
}

/** Looks at once. */
const AT_ONCE = 8;

/** Lists all versions whose manifests are there. Throws `index/not-found`. Cost: one read for each, and one look at each blob. */
export async function listVersions(store: ReadStore, index: string): Promise<VersionList> {
  const stored = await readExisting(store, index);
  const { released } = await readClock(store);
  const isThere = lookOnce(store);
  const versions: VersionRow[] = [];
  for await (const link of history(store, index, stored)) {
    if (link.kind !== "version") return { versions, end: endAt(link, released[index] ?? 0) };
    const { manifest, version, seq } = link;
    const { documents, chunks } = manifest.counts;
    versions.push({
      version,
      seq,
      created: manifest.created,
      documents,
      chunks,
      bytes: manifest.blobs.reduce((sum, blob) => sum + blob.bytes, 0),
      current: seq === stored.pointer.seq,
      whole: await isWhole(link, isThere),
    });
  }
  return { versions, end: { kind: "first" } };
}

/**
 * The version of an index that somebody means by `7-1a2b3c4d`, `7`, or 8 to 64 digits of its manifest's digest. Throws
 * `usage/invalid` for another text and `version/not-found`, with the versions there are, for one that is not there.
 */
export async function findVersion(
  store: ReadStore,
  index: string,
  wanted: string,
  stored: StoredPointer,
): Promise<Version> {
  const matches = matcherOf(wanted);
  const known: string[] = [];
  let broken = "";
  for await (const link of history(store, index, stored)) {
    if (link.kind !== "version") {
      broken = link.kind === "damaged" ? ` ${link.reason.message}` : "";
      if (matches(link)) break;
    } else if (matches(link)) return link;
    else known.push(link.version);
  }
  throw new LightedgeError(
    "version/not-found",
    `${index} has no version ${printable(wanted)}, or no longer.${broken} There are ${listed(known)}.`,
    { field: "version", value: printable(wanted) },
  );
}

/** A few names of versions as they may stand in a message. */
export function listed(versions: readonly string[]): string {
  if (versions.length === 0) return "no others";
  const shown = versions.slice(0, 10).join(", ");
  return versions.length > 10 ? `${shown} and ${versions.length - 10} older ones` : shown;
}

function matcherOf(wanted: string): (place: VersionPlace) => boolean {
  const [, seq, prefix] = /^(\d{1,16})-([0-9a-f]{8})$/u.exec(wanted) ?? [];
  if (seq !== undefined) return (place) => place.seq === Number(seq) && place.sha256.startsWith(prefix!);
  const isSeq = /^\d{1,16}$/u.test(wanted);
  const isDigest = /^[0-9a-f]{8,64}$/u.test(wanted);
  if (isSeq || isDigest) {
    return (place) =>
      (isSeq && place.seq === Number(wanted)) || (isDigest && place.sha256.startsWith(wanted));
  }
  throw new LightedgeError(
    "usage/invalid",
    `A version is written as 7-1a2b3c4d, as 7, or as 8 or more digits of its digest, not ${printable(wanted)}.`,
    { field: "version", value: printable(wanted) },
  );
}

function endAt(link: Exclude<Link, Version>, floor: number): ListEnd {
  const { version, seq } = link;
  if (link.kind === "damaged") return { kind: "broken", version, reason: link.reason.message };
  if (seq <= floor) return { kind: "collected", version };
  return { kind: "broken", version, reason: `${link.key} is gone, and no collection has taken it.` };
}

type IsThere = (blob: { readonly key: string; readonly bytes: number }) => Promise<boolean>;

/** Whether a blob is there with its length; asked of the store once, however many versions name it. */
export function lookOnce(store: ReadStore): IsThere {
  const known = new Map<string, Promise<number | null>>();
  return async ({ key, bytes }) => {
    const found = known.get(key) ?? store.head(key).then((info) => info?.bytes ?? null);
    known.set(key, found);
    return (await found) === bytes;
  };
}

async function isWhole({ manifest }: Version, isThere: IsThere): Promise<boolean> {
  const { blobs } = manifest;
  for (let at = 0; at < blobs.length; at += AT_ONCE) {
    const found = await Promise.all(blobs.slice(at, at + AT_ONCE).map(isThere));
    if (found.includes(false)) return false;
  }
  return true;
}
