/** Texts that are all different, and what is asked of an encoder about them. */
import type { Wanted } from "../../../indexer/encode/encoder.ts";
import { TOPICS } from "../../helpers/tiny-encoder.ts";

/** Both sides of a document. */
export const WANTED: Wanted = { role: "document", task: "search", dense: true, sparse: true };

/** `count` texts from number `first` on, the same for the same number. */
export function numberedTexts(first: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => {
    const words = TOPICS[(first + i) % TOPICS.length]!;
    return `${words[(first + i) % words.length]} ${first + i}`;
  });
}
