/** What the source holds in each round: some documents stay, some change, some come and some go. */
import type { SourceDocument } from "../../../indexer/sources/source.ts";
import { documentOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";

const STAYING = tinyDocuments(14);

/** The documents of a round, from 0. No two rounds that follow each other have the same. */
export function documentsOf(round: number): readonly SourceDocument[] {
  return [
    ...STAYING,
    documentOf("changing", { text: `The king signed treaty ${round} in the castle.` }),
    documentOf(`of-round-${round}`, { title: "Round", text: "A boat left the harbour by night." }),
    ...(round % 3 === 0 ? [documentOf("every-third", { text: "Bread and wine." })] : []),
  ];
}
