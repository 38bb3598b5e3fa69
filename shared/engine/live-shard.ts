import type { ResidentShard } from "./resident.ts";

/** A loaded shard as a part of a version. */
export interface LiveShard extends ResidentShard {
  /** Numbers of its dead documents, ascending: a later shard has them anew, or they are gone. */
  readonly dead: Uint16Array<ArrayBuffer>;
}
