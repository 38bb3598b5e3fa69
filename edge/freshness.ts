/** Reading what was written: how new an answer has to be, and whether an index is. */
import type { OpenIndex } from "../shared/engine/api.ts";
import { LightedgeError, printable } from "../shared/errors.ts";
import { isWriteId, type WriteId } from "../shared/format/names.ts";
import { isListedAsFolded } from "../shared/format/overlay.ts";
import { timeOfWrite } from "../shared/inbox/fold.ts";
import { seqOf } from "./version.ts";

/** What an answer has to know of; nothing in particular where both are absent. */
export interface Freshness {
  /** A version as answers name it, `7-1a2b3c4d`, or its number alone: this one or a later one. */
  readonly minVersion?: { readonly seq: number; readonly name: string };
  /** A write as its acknowledgement names it. */
  readonly minWrite?: WriteId;
}

const VERSION = /^([1-9][0-9]{0,15})(-[0-9a-f]{8})?$/;

/**
 * Time after which a write that is not in the inbox must have been folded and collected, in ms: half of the
 * shortest grace that `lightedge gc` allows.
 */
const SETTLED_MS = 900_000;

/** The freshness that these texts ask for. Throws `request/invalid` naming the field. */
export function freshnessOf(minVersion: string | undefined, minWrite: string | undefined): Freshness {
  return {
    ...(minVersion === undefined ? {} : { minVersion: versionOf(minVersion) }),
    ...(minWrite === undefined ? {} : { minWrite: writeOf(minWrite) }),
  };
}

/**
 * Whether an index knows of what is asked for. `provenAt` is when its inbox was last seen to have nothing newer, in
 * ms since 1970.
 */
export function isFresh(index: OpenIndex, provenAt: number, { minVersion, minWrite }: Freshness): boolean {
  if (minVersion !== undefined) {
    const seq = seqOf(index.version);
    const same = index.version === minVersion.name || String(seq) === minVersion.name;
    if (seq < minVersion.seq || (seq === minVersion.seq && !same)) return false;
  }
  if (minWrite === undefined) return true;
  if (index.waiting.some(({ entry }) => entry.write === minWrite)) return true;
  if (index.overlay !== null && isListedAsFolded(index.overlay, minWrite)) return true;
  return provenAt >= timeOfWrite(minWrite) + SETTLED_MS;
}

/** The error for an index that is still older than what is asked for. */
export function behind(index: OpenIndex, { minVersion, minWrite }: Freshness): LightedgeError {
  const wanted = [
    ...(minVersion === undefined ? [] : [`version ${minVersion.name}`]),
    ...(minWrite === undefined ? [] : [`write ${minWrite}`]),
  ];
  const message = `The index ${index.name} is at version ${index.version} and does not know of ${wanted.join(" and ")} yet; ask again shortly.`;
  const field = minVersion === undefined ? "min_write" : "min_version";
  return new LightedgeError("index/behind", message, { field });
}

function versionOf(text: string): { readonly seq: number; readonly name: string } {
  const seq = Number(VERSION.exec(text)?.[1]);
  if (Number.isSafeInteger(seq)) return { seq, name: text };
  throw wrong("min_version", "a version as answers name it, such as 7-1a2b3c4d or 7", text);
}

function writeOf(text: string): WriteId {
  if (isWriteId(text)) return text;
  throw wrong("min_write", "a write as its acknowledgement names it", text);
}

function wrong(field: string, wanted: string, text: string): LightedgeError {
  return new LightedgeError("request/invalid", `${field} must be ${wanted}, not ${printable(text)}.`, {
    field,
  });
}
