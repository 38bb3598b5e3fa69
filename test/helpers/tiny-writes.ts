/** Writes to the index `tiny`: the store before them, its inbox and what they are answered with. */
import { inboxPrefix, type WriteId } from "../../shared/format/names.ts";
import type { MemoryStore } from "../../shared/store/memory.ts";
import { buildTiny, copyOf, TINY } from "./tiny-build.ts";

const { store: built } = await buildTiny();

/** A store with the index `tiny`, whose inbox is empty. */
export const freshStore = () => copyOf(built);

/** Where the documents of `tiny` are. */
export const DOCUMENT = `/v1/indexes/${TINY}/documents`;

/** The keys of the writes that wait. */
export async function inboxOf(store: MemoryStore): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(inboxPrefix(TINY))) keys.push(key);
  return keys;
}

/** What a write is acknowledged with, of what tests look at. */
export interface Ack {
  readonly write: WriteId;
  readonly received: string;
}

/** What a response acknowledges. */
export const ackOf = async (response: Response): Promise<Ack> => (await response.json()) as Ack;
