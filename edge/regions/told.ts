/** What every answer says of where it came from. */
import type { OpenIndex } from "../../shared/engine/api.ts";
import type { SearchAnswer } from "../../shared/types.ts";
import { ageOf } from "../version.ts";
import type { Routed } from "./question.ts";

/** The header that names the region that answered. */
export const REGION_HEADER = "x-lightedge-region";

/** What is told beside an answer. */
export type Told = Pick<SearchAnswer, "version" | "age_s" | "stale_s" | "region" | "placement" | "failover">;

/** Version, age, region, and what was not as usual. `now` is in ms since 1970. */
export function toldOf(
  { index, region, passed, ...proven }: Omit<Routed<unknown>, "answer">,
  now: number,
): Told {
  return {
    version: index.version,
    age_s: ageOf(index, now),
    ...(proven.unreadable ? { stale_s: Math.max(0, Math.floor((now - proven.provenAt) / 1000)) } : {}),
    region,
    placement: placementOf(index),
    ...(passed.length > 0 ? { failover: { from: passed } } : {}),
  };
}

/** Where an index answers from. */
export function placementOf(index: Pick<OpenIndex, "placement">): NonNullable<Told["placement"]> {
  return index.placement ?? "isolate";
}

/** A search's answer with what is told beside it, in the order that people read. */
export function withTold(
  { answer, ...rest }: Routed<SearchAnswer>,
  now: number,
  readsInbox: boolean,
): SearchAnswer {
  const { index, version: _, region: __, warnings: own = [], ...found } = answer;
  const told = toldOf(rest, now);
  const warnings = [...own, ...warningsOf(answer, told, readsInbox && rest.inboxAt < rest.provenAt)];
  return { index, ...told, ...found, ...(warnings.length > 0 ? { warnings } : {}) };
}

/** What is not as it should be, in words for people; programs read it from fields. */
function warningsOf(
  { missing_shards: missing = [] }: SearchAnswer,
  { stale_s: stale }: Told,
  unseen: boolean,
): readonly string[] {
  return [
    ...(missing.length === 0
      ? []
      : [`Documents are missing from this answer: ${missing.length} of the index's shards did not answer.`]),
    ...(stale === undefined ? [] : [`Whether there is a newer version has not been known for ${stale} s.`]),
    ...(unseen ? [UNSEEN] : []),
  ];
}

const UNSEEN =
  "The home region could not be asked for writes that wait; those of the last moments may be missing from this answer.";
