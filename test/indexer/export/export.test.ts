/** The export itself, run on the spot: what it writes, that PyTorch gives the same, and what it refuses. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BATCH_TOLERANCE, batchDifference } from "../../../indexer/encode/batch-check.ts";
import { createOnnxEncoder } from "../../../indexer/encode/onnx.ts";
import { loadModel } from "../../../indexer/model/model.ts";
import { DECODERS, decoderDifferences, decoderValues } from "../../helpers/decoders.ts";
import {
  hasExport,
  makeCheckpoints,
  makeDecoders,
  NEEDS_EXPORT,
  type PythonRun,
  runExport,
  runFaultyExport,
} from "../../helpers/export-command.ts";

const HAS_EXPORT = hasExport();
const root = mkdtempSync(join(tmpdir(), "lightedge-export-"));
afterAll(() => rmSync(root, { recursive: true }));

const at = (...names: readonly string[]) => join(root, ...names);
/** What every run is told, beside what its test is about. */
const PLAIN = ["--licence", "none", "--max-tokens", "128", "--task", "search=find passages"];
const SLOW = 240_000;

function edit(file: string, change: (value: Record<string, unknown>) => void): void {
  const value = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  change(value);
  writeFileSync(file, JSON.stringify(value));
}

/** A copy of a checkpoint under a folder of its own, so that its name stays. */
function copy(name: string, why: string): string {
  const folder = at(why, name);
  mkdirSync(at(why), { recursive: true });
  cpSync(at(name), folder, { recursive: true });
  return folder;
}

describe.skipIf(!HAS_EXPORT)(`the export${NEEDS_EXPORT}`, () => {
  beforeAll(() => {
    expect(makeCheckpoints(root)).toMatchObject({ code: 0 });
  }, SLOW);

  it(
    "run anew on both families gives folders whose graphs give PyTorch's numbers",
    async () => {
      expect(makeDecoders(at("anew"))).toMatchObject({ code: 0 });
      for (const name of DECODERS) {
        const model = await loadModel(at("anew", name));
        const found = await decoderDifferences(model, decoderValues(model.folder));
        expect(found.vector, name).toBeLessThan(1e-5);
        expect(found.impact, name).toBeLessThan(1e-4);
        expect(found.row, name).toBeLessThan(1e-5);
        expect(found.query, name).toBeLessThan(1e-5);
      }
    },
    SLOW,
  );

  it.each([
    ["tiny-llama-lora", "fp32", ["--external"]],
    ["tiny-qwen2-lora", "fp16", []],
    ["tiny-qwen2-lora", "int8-weights", ["--external", "--cut", "32", "--top-k", "20"]],
    // A whole model, with no adapter.
    ["tiny-llama", "int8-weights", []],
  ] as const)(
    "of %s in %s gives a folder that the indexer runs and finds not to depend on the batch",
    async (name, precision, more) => {
      const out = at(`${name}-${precision}`);
      const { code, stderr } = runExport(at(name), "--out", out, "--precision", precision, ...PLAIN, ...more);
      expect({ code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringContaining("Greatest difference from PyTorch"),
      });
      const outside = more.some((option) => option === "--external");
      expect(readdirSync(out).sort()).toEqual(
        ["model.json", "model.onnx", ...(outside ? ["model.onnx.data"] : []), "tokenizer.json"].sort(),
      );
      const model = await loadModel(out);
      expect(model.files.map((file) => file.name).includes("model.onnx.data")).toBe(outside);
      expect(model).toMatchObject({
        dimension: more.some((option) => option === "--cut") ? 32 : 64,
        queryTable: "cached",
      });
      const encoder = await createOnnxEncoder(model, { device: "cpu", threads: 2 });
      expect(await batchDifference(encoder)).toBeLessThan(BATCH_TOLERANCE);
      const wanted = { role: "document", task: "search", dense: true, sparse: true } as const;
      const [encoding] = await encoder.encode(["Honey bees dance"], wanted);
      expect(Math.hypot(...encoding!.dense!)).toBeCloseTo(1, 3);
      expect(encoding!.sparse!.ids.length).toBeGreaterThan(10);
      await encoder.close();
    },
    SLOW,
  );

  it.each([
    ["a folder that is not empty", () => [at("tiny-llama-lora"), "--out", root], "is not an empty folder"],
    ["what is no checkpoint", () => [at("narrow"), "--out", at("no")], "it is no checkpoint"],
    [
      "a base for a whole model",
      () => [at("tiny-llama"), "--base", at("tiny-llama"), "--out", at("no")],
      "leave out --base",
    ],
    [
      "an adapter on a base of another name",
      () => [at("tiny-llama-lora"), "--base", at("tiny-qwen2"), "--out", at("no")],
      "was trained on",
    ],
    [
      "an adapter on a base of another shape",
      () => [at("tiny-llama-lora"), "--base", at("narrow", "tiny-llama"), "--out", at("no")],
      "does not fit",
    ],
    [
      "a prompt longer than half the context",
      () => [at("tiny-llama-lora"), "--task", `long=${"passage ".repeat(99)}`, "--out", at("no")],
      "prompt of task long takes",
    ],
    [
      "more tokens than the model takes",
      () => [at("tiny-llama-lora"), "--max-tokens", "4096", "--out", at("no")],
      "the model takes 1024",
    ],
    [
      "a cut that no kernel takes",
      () => [at("tiny-llama-lora"), "--cut", "12", "--out", at("no")],
      "multiple of 8",
    ],
  ])(
    "refuses %s",
    (_, args, said) => {
      refused(args(), said);
    },
    SLOW,
  );

  it.each(["fp32", "fp16", "int8-weights"])(
    "writes no folder in %s where the graph does not give what PyTorch gives",
    (precision) => {
      const run = runFaultyExport(
        ...PLAIN,
        at("tiny-llama-lora"),
        "--out",
        at("no"),
        "--precision",
        precision,
      );
      refusedRun(run, "lies away from PyTorch's by");
    },
    SLOW,
  );

  it(
    "refuses a family that it does not know, and a checkpoint without a fast tokenizer",
    () => {
      const other = copy("tiny-llama", "other");
      edit(join(other, "config.json"), (config) => {
        config.model_type = "gpt2";
      });
      refused([other, "--out", at("no")], "is a gpt2; only decoders of the families llama and qwen2");
      const mute = copy("tiny-qwen2", "mute");
      rmSync(join(mute, "tokenizer.json"));
      refused([mute, "--out", at("no")], "has no tokenizer.json");
    },
    SLOW,
  );

  function refused(args: readonly string[], said: string): void {
    refusedRun(runExport(...PLAIN, ...args), said);
  }

  function refusedRun({ code, stderr }: PythonRun, said: string): void {
    expect(stderr).toContain(said);
    expect(stderr).toMatch(/^error: /mu);
    expect(stderr).not.toContain("Traceback");
    expect(code).toBe(1);
    expect(existsSync(at("no"))).toBe(false);
    expect(existsSync(at("no.unfinished"))).toBe(false);
  }
});
