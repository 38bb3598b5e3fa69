/** Made-up documents over the words of the tiny encoder, the same for the same seed. */
import { Random } from "../../indexer/random.ts";
import type { Source, SourceDocument, SourceRecord } from "../../indexer/sources/source.ts";
import { LightedgeError } from "../../shared/errors.ts";
import type { Fields } from "../../shared/types.ts";
import { TOPICS } from "./tiny-encoder.ts";

const GLUE = "the a of in and to is was for with on by from that".split(" ");

/** Documents that a careless program trips over, each for its own reason. */
export const ODD_DOCUMENTS: readonly SourceDocument[] = [
  // Ids that look like something else.
  documentOf("__proto__", { title: "Prototype", text: "The comet had an orbit of its own." }),
  documentOf("constructor", { text: "A king and a queen signed the treaty." }),
  documentOf("a/b", { title: "Slash", text: "Bread, cheese and wine for dinner." }),
  documentOf("../c", { text: "The train left the station by night." }),
  documentOf("🌊 wave", { title: "Emoji 🌊", text: "A wave 🌊 broke on the coast; the sailor 🧜‍♀️ sang." }),
  documentOf("with  spaces ", {
    title: "Spaces",
    text: "  The judge   read the verdict.  \n\n The court rose. ",
  }),
  // Texts at the edges.
  documentOf("empty", { title: "", text: "" }),
  documentOf("nothing", {}),
  documentOf("title-only", { title: "The telescope and the galaxy" }),
  documentOf("one-word", { text: "harbour" }),
  documentOf("repeated", { title: "Song song", text: "song ".repeat(120).trim() }),
  documentOf("foreign", { text: "北京 café 東海. Zürich über ﬁre." }),
  documentOf("unknown", { text: "☃ ☂ ☃" }),
  documentOf("more-fields", {
    title: "Fields",
    text: "Salt and pepper.",
    year: 1999,
    tags: ["a", "b"],
    ok: true,
  }),
  // Two of one kind: every score of theirs is a tie.
  documentOf("twin-a", {
    title: "Twins",
    text: "The nurse and the doctor fought the fever in the hospital.",
  }),
  documentOf("twin-b", {
    title: "Twins",
    text: "The nurse and the doctor fought the fever in the hospital.",
  }),
];

/** The odd documents and `count` - 16 ordinary ones of one to ten sentences. */
export function tinyDocuments(count: number, seed = 1): SourceDocument[] {
  const random = new Random(seed);
  const ordinary = Array.from({ length: Math.max(0, count - ODD_DOCUMENTS.length) }, (_, at) => {
    const topic = random.pick(TOPICS);
    const other = random.pick(TOPICS);
    const text = Array.from({ length: 1 + random.below(random.below(10) + 1) }, () =>
      sentence(random, random.below(4) === 0 ? other : topic),
    ).join(" ");
    const title =
      random.below(5) === 0 ? {} : { title: capital(`${random.pick(topic)} ${random.pick(other)}`) };
    return documentOf(`d${at}`, { ...title, text });
  });
  return [...ODD_DOCUMENTS, ...ordinary].slice(0, count);
}

function sentence(random: Random, words: readonly string[]): string {
  const length = 3 + random.below(12);
  const chosen = Array.from({ length }, () => random.pick(random.below(5) < 3 ? words : GLUE));
  return `${capital(chosen.join(" "))}${random.pick([".", ".", "!", "?"])}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** A document as sources give it. */
export function documentOf(id: string, fields: Fields): SourceDocument {
  return { id, fields, sections: [] };
}

/** A source of these documents, after so many records that are rejected. */
export function sourceOf(documents: readonly SourceDocument[], rejected = 0): Source {
  return {
    description: "memory",
    async *records(): AsyncGenerator<SourceRecord, void, undefined> {
      for (let line = 1; line <= rejected; line++) {
        const reason = new LightedgeError("source/invalid", `memory:${line}: not a document.`);
        yield { kind: "rejected", file: "memory", line, reason };
      }
      for (const document of documents) yield { kind: "document", document };
    },
  };
}
