/** A decoder's way through the indexer: byte-level tokens, prompts, begin and end tokens, both sides from one graph. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { BATCH_TOLERANCE, batchDifference } from "../../../indexer/encode/batch-check.ts";
import type { Encoder } from "../../../indexer/encode/encoder.ts";
import { createOnnxEncoder } from "../../../indexer/encode/onnx.ts";
import { openInNode } from "../../../indexer/engine-node.ts";
import type { ModelDescription } from "../../../indexer/model/description.ts";
import { loadModel } from "../../../indexer/model/model.ts";
import { openStore } from "../../../indexer/store/open.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import { lightedge } from "../../helpers/command-line.ts";
import {
  cosine,
  impactDifference,
  lengthOf,
  type ReferenceCase,
  readReference,
} from "../../helpers/reference-encodings.ts";
import { HAS_TINY_DECODER, NEEDS_TINY_DECODER, TINY_DECODER } from "../../helpers/shared-models.ts";
import { requestFor } from "../../helpers/tiny-build.ts";

/** One graph and tokenizer under several descriptions, with what the reference makes of each. */
const RULES = readReference("tiny-decoder") as readonly {
  readonly rules: string;
  readonly description: ModelDescription;
  readonly cases: readonly ReferenceCase[];
}[];
/** Dynamic int8 rounds differently on other processors; a wrong token, mask or pooling is far beyond this. */
const SAME = { cosine: 0.999, impact: 0.01, length: 0.005 } as const;

const root = mkdtempSync(join(tmpdir(), "lightedge-decoder-"));
afterAll(() => rmSync(root, { recursive: true }));

/** A model folder of the decoder's files and a description. */
function folderOf(description: ModelDescription): string {
  const folder = mkdtempSync(join(root, "model-"));
  for (const name of ["model.onnx", "tokenizer.json"])
    copyFileSync(join(TINY_DECODER, name), join(folder, name));
  writeFileSync(join(folder, "model.json"), JSON.stringify(description));
  return folder;
}

/** Does this with an encoder over the decoder and closes it. */
async function using<T>(description: ModelDescription, work: (encoder: Encoder) => Promise<T>): Promise<T> {
  const model = await loadModel(folderOf(description));
  const encoder = await createOnnxEncoder(model, { device: "cpu", threads: 2 });
  try {
    return await work(encoder);
  } finally {
    await encoder.close();
  }
}

describe.skipIf(!HAS_TINY_DECODER)(`a decoder${NEEDS_TINY_DECODER}`, () => {
  it.each(RULES)("is given the reference's ids: $rules", async ({ description, cases }) => {
    const model = await loadModel(folderOf(description));
    const tokenizer = loadTokenizer(model.tokenizer);
    const { bos, eos } = model.special;
    for (const { role, text, ids } of cases) {
      const own = tokenizer.ids(text, model.maxTextTokens("search", role));
      const around = [...(bos === null ? [] : [bos]), ...model.promptTokens("search", role), ...own];
      expect(eos === null ? around : [...around, eos]).toEqual(ids);
      expect(ids.length).toBeLessThanOrEqual(description.max_tokens);
    }
  });

  it.each(RULES)("gives the reference's vectors and impacts: $rules", async ({ description, cases }) => {
    await using(description, async (encoder) => {
      for (const wanted of cases) {
        const { role, text, vector } = wanted;
        // Alone, as in the reference: this graph's values change with the batch.
        const [encoding] = await encoder.encode([text], { role, task: "search", dense: true, sparse: true });
        const what = `${role} ${text}`;
        expect(cosine(encoding!.dense!, vector), what).toBeGreaterThan(SAME.cosine);
        expect(Math.abs(lengthOf(encoding!.dense!) / lengthOf(vector) - 1), what).toBeLessThan(SAME.length);
        expect(impactDifference(encoding!, wanted), what).toBeLessThan(SAME.impact);
        expect(encoding!.sparse!.ids.length).toBe(description.sparse!.top_k);
      }
    });
  });

  it("differs from rule to rule by more than the comparison allows, so that a mixed-up rule shows", () => {
    for (const one of RULES) {
      for (const other of RULES) {
        if (one === other) continue;
        one.cases.forEach((wanted, at) => {
          expect(cosine(wanted.vector, other.cases[at]!.vector)).toBeLessThan(SAME.cosine - 0.01);
        });
      }
    }
  });

  it("has an encoding that its prompt changes, and the special tokens have no impact", async () => {
    const { description } = RULES[0]!;
    const masked = { role: "query", task: "search", dense: true, sparse: true } as const;
    await using(description, async (encoder) => {
      const [query] = await encoder.encode(["wing"], masked);
      const [document] = await encoder.encode(["wing"], { ...masked, role: "document" });
      expect(cosine(query!.dense!, document!.dense!)).toBeLessThan(SAME.cosine);
      expect([...query!.sparse!.ids]).not.toContain(encoder.model.special.eos);
    });
  });

  it("in dynamic int8 is found to change with the batch", async () => {
    await using(RULES[0]!.description, async (encoder) => {
      expect(await batchDifference(encoder)).toBeGreaterThan(BATCH_TOLERANCE);
    });
  });
});

describe.skipIf(!HAS_TINY_DECODER)(`the command line with a decoder${NEEDS_TINY_DECODER}`, () => {
  const STORE = ["--store", `file:${root}/store`];
  const DOCUMENTS = [
    ["bees", "Honey bees dance to tell each other where flowers are."],
    ["bread", "Sourdough rises slowly because wild yeast works at its own pace."],
    ["tides", "The moon pulls the sea, and so the water rises and falls twice a day."],
    ["chess", "The Sicilian Defence answers the king's pawn."],
    ["city", "Zürich 北京 Москва 🌊 are places, and a wave."],
    ["long", "Glaciers are rivers of ice that grind valleys into the shape of the letter U. ".repeat(12)],
  ] as const;

  /** Of what a run prints, what is looked at. */
  type Counts = Readonly<Record<"chunks" | "encoded", number>> & { readonly version: string };

  function index(model: string, ...more: string[]) {
    const source = join(root, "documents.jsonl");
    writeFileSync(source, DOCUMENTS.map(([id, text]) => JSON.stringify({ id, text })).join("\n"));
    const how = ["--device", "cpu", "--cache", join(root, "cache"), "--json"];
    return lightedge("index", source, "--index", "decoded", "--model", model, ...STORE, ...how, ...more);
  }

  it("refuses it, publishing nothing; forced it indexes, checks sound, finds, and then has all in its cache", async () => {
    const model = folderOf(RULES[0]!.description);
    const refused = await index(model);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: { code: "model/batch-dependent", limit: BATCH_TOLERANCE },
    });
    expect((await lightedge("info", "--index", "decoded", ...STORE)).code).toBe(1);

    const forced = await index(model, "--force");
    expect(forced).toMatchObject({ code: 0, stderr: expect.stringContaining("change by up to") });
    const report = JSON.parse(forced.stdout) as Counts;
    expect(report).toMatchObject({ documents: DOCUMENTS.length, changed: true, cached: 0 });
    expect(report.chunks).toBeGreaterThan(DOCUMENTS.length);
    expect(report.encoded).toBeGreaterThanOrEqual(report.chunks);

    const checked = await lightedge("check", "--index", "decoded", ...STORE, "--json");
    expect(checked.code).toBe(0);
    expect(JSON.parse(checked.stdout)).toMatchObject({ documents: DOCUMENTS.length, problems: [] });

    const opened = await openInNode(openStore(`file:${root}/store`), "decoded");
    for (const [query, id] of [
      ["sourdough yeast", "bread"],
      ["北京", "city"],
      // This tokenizer keeps case.
      ["Glaciers", "long"],
    ] as const) {
      for (const mode of ["sparse", "hybrid"] as const) {
        const { hits } = await opened.search(requestFor(query, { mode }));
        if (mode === "sparse") expect(hits[0], query).toMatchObject({ id });
        else expect(hits.map((hit) => hit.id)).toContain(id);
      }
    }

    const again = await index(model, "--force");
    expect(JSON.parse(again.stdout)).toMatchObject({ changed: false, encoded: 0, version: report.version });
  }, 120_000);
});
