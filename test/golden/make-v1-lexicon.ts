/**
 * Wrote the samples of the lexicon, which version 1 gained before its first release:
 * `node test/golden/make-v1-lexicon.ts`. Like the others they are never made again.
 */

import { writeFileSync } from "node:fs";
import { serializeManifest } from "../../shared/format/manifest.ts";
import { entryOf } from "../shared/format/helpers.ts";
import { lexiconSample, makeSamples } from "../shared/format/samples.ts";
import { contentOf } from "./contents.ts";

function save(name: string, bytes: Uint8Array | string): void {
  writeFileSync(new URL(`./v1/${name}`, import.meta.url), bytes, { flag: "wx" });
}

const lexicon = await lexiconSample();
const { bytes, sha256, head } = lexicon;
const content = await contentOf(bytes, { kind: "lexicon", sha256, head });
save("lexicon.bin", bytes);
save("lexicon.json", `${JSON.stringify({ kind: "lexicon", sha256, head, content }, null, 1)}\n`);

const { manifest } = await makeSamples();
const [tokenizer, table, ...rest] = manifest.blobs;
const blobs = [tokenizer!, table!, entryOf(lexicon, { role: "lexicon" as const }), ...rest];
save("manifest-lexicon.json", serializeManifest({ ...manifest, blobs }));
