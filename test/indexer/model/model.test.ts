import {
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { EMBEDDED_MODEL } from "../../../indexer/commands/options.ts";
import { loadModel } from "../../../indexer/model/model.ts";
import { sha256 } from "../../../shared/hash.ts";
import { wordTokenizer } from "../../helpers/small-graphs.ts";
import { initializer } from "./onnx-bytes.ts";

const root = mkdtempSync(join(tmpdir(), "lightedge-model-"));
afterAll(() => rmSync(root, { recursive: true }));

const WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "find", ":", "river", "sea"];
const TOKENIZER = wordTokenizer(WORDS);
const DESCRIPTION = {
  format: 1,
  name: "small",
  licence: "Apache-2.0",
  source: "test",
  tokenizer: { file: "tokenizer.json", lowercase: false },
  vocabulary: WORDS.length,
  dimension: 4,
  max_tokens: 16,
  special_tokens: { bos: "[CLS]", eos: "[SEP]", pad: "[PAD]" },
  graphs: [{ file: "model.onnx", dense: "hidden", sparse: null }],
  pooling: "mean",
  unit_length: true,
  tasks: { search: { query_prompt: "find:", document_prompt: "" } },
  sparse: null,
  prior: "prior.table",
};
/** Every file of the folder. */
const FILES = ["model.json", "model.onnx", "weights.bin", "tokenizer.json", "prior.table"] as const;

let folder: string;
/** A fresh folder whose graph keeps its numbers in a file beside it. */
beforeEach(() => {
  folder = mkdtempSync(join(root, "folder-"));
  describeAs({});
  writeFileSync(join(folder, "model.onnx"), initializer("weights.bin"));
  writeFileSync(join(folder, "weights.bin"), "numbers");
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(TOKENIZER));
  writeFileSync(join(folder, "prior.table"), "rows");
});

function describeAs(changes: Readonly<Record<string, unknown>>): void {
  writeFileSync(join(folder, "model.json"), JSON.stringify({ ...DESCRIPTION, ...changes }));
}

const hashNow = async () => (await loadModel(folder)).encoderHash;

describe("a model folder", () => {
  it("loads with the digest of every file that decides what encodings are", async () => {
    const model = await loadModel(folder);
    const names = ["tokenizer.json", "model.onnx", "weights.bin"];
    expect(model.files).toEqual(
      await Promise.all(
        names.map(async (name) => {
          const bytes = new Uint8Array(readFileSync(join(folder, name)));
          return { name, bytes: bytes.length, sha256: await sha256(bytes) };
        }),
      ),
    );
    expect(model.special).toEqual({ bos: 2, eos: 3, pad: 0 });
  });

  it("gives prompts as tokens, and what they and the special tokens leave of an input", async () => {
    const model = await loadModel(folder);
    expect(model.promptTokens("search", "query")).toEqual([4, 5]);
    expect(model.promptTokens("search", "document")).toEqual([]);
    expect(model.maxTextTokens("search", "query")).toBe(16 - 2 - 2);
    expect(model.maxTextTokens("search", "document")).toBe(16 - 2);
    expect(() => model.promptTokens("sort", "query")).toThrow(/no task "sort"; it has search/u);
  });

  it("has a hash that any byte of a graph, its data or the tokenizer changes, and no byte of the prior", async () => {
    const hashes = new Set([await hashNow()]);
    writeFileSync(join(folder, "prior.table"), "other rows");
    expect(hashes).toContain(await hashNow());
    writeFileSync(join(folder, "weights.bin"), "Numbers");
    hashes.add(await hashNow());
    writeFileSync(join(folder, "model.onnx"), Buffer.concat([initializer("weights.bin"), Buffer.of(8, 7)]));
    hashes.add(await hashNow());
    writeFileSync(join(folder, "tokenizer.json"), `${JSON.stringify(TOKENIZER)} `);
    hashes.add(await hashNow());
    expect(hashes.size).toBe(4);
  });

  it("has a hash that prompts, pooling and every other rule change, and no text for people", async () => {
    const hashes = new Set([await hashNow()]);
    for (const words of [{ name: "x" }, { licence: "MIT" }, { source: "elsewhere" }, { prior: null }]) {
      describeAs(words);
      expect(hashes).toContain(await hashNow());
    }
    const rules = [
      { tasks: { search: { query_prompt: "", document_prompt: "" } } },
      { tasks: { search: { query_prompt: "find:", document_prompt: "find:" } } },
      { pooling: "cls" },
      { unit_length: false },
      { max_tokens: 17 },
      { special_tokens: { bos: null, eos: "[SEP]", pad: "[PAD]" } },
      { tokenizer: { file: "tokenizer.json", lowercase: true } },
    ];
    for (const rule of rules) {
      describeAs(rule);
      hashes.add(await hashNow());
    }
    expect(hashes.size).toBe(1 + rules.length);
  });

  it("keeps the hash it had before it could say how tables are made, how vectors are cut and queries end", async () => {
    // Caches and priors out in the world are bound to it: this one is never to change.
    expect((await loadModel(EMBEDDED_MODEL)).encoderHash).toBe(
      "a9db8da9252136c366a3687a19181a35b25263961c0da6c8c0049fd4a321b73f",
    );
  });

  it("has a hash that a cut changes, and that how tables are made and where queries end do not", async () => {
    describeAs({ dimension: 32 });
    const whole = await loadModel(folder);
    expect(whole).toMatchObject({ dimension: 32, queryTable: "fitted" });
    describeAs({ dimension: 32, query_table: "cached", max_query_tokens: 64 });
    const cached = await loadModel(folder);
    expect(cached).toMatchObject({ queryTable: "cached", encoderHash: whole.encoderHash });
    expect(cached.description.max_query_tokens).toBe(64);
    describeAs({ dimension: 32, cut: 24 });
    const cut = await loadModel(folder);
    expect(cut).toMatchObject({ dimension: 24, description: { dimension: 32, cut: 24 } });
    expect(cut.encoderHash).not.toBe(whole.encoderHash);
  });

  it("is refused with a cut that is no multiple of 8 below its dimension, or another unknown choice", async () => {
    for (const [changes, words] of [
      [{ cut: 32 }, "cut must be a multiple of 8 below dimension, which is 32, not 32"],
      [{ cut: 12 }, "cut must be a multiple of 8 below dimension, which is 32, not 12"],
      [{ cut: 4 }, "cut must be a whole number from 8 to 4096, not 4"],
      [{ query_table: "made" }, 'query_table must be one of fitted, cached, not "made"'],
      [{ max_query_tokens: 513 }, "max_query_tokens must be a whole number from 1 to 512, not 513"],
    ] as const) {
      describeAs({ dimension: 32, ...changes });
      await expect(loadModel(folder)).rejects.toMatchObject({
        code: "model/invalid",
        message: expect.stringContaining(words),
        details: { field: Object.keys(changes)[0] },
      });
    }
  });

  it("is refused by the name of a file that is not there", async () => {
    for (const name of FILES.filter((file) => file !== "model.json")) {
      renameSync(join(folder, name), join(folder, "away"));
      await expect(loadModel(folder)).rejects.toMatchObject({
        code: "model/invalid",
        message: expect.stringContaining(name),
      });
      renameSync(join(folder, "away"), join(folder, name));
    }
    await expect(loadModel(join(folder, "none"))).rejects.toThrow(/no model folder/u);
  });

  it("is refused where its parts do not fit together, by the field", async () => {
    const unfit = [
      [{ vocabulary: WORDS.length - 1 }, "vocabulary"],
      [{ vocabulary: WORDS.length + 1025 }, "vocabulary"],
      [{ special_tokens: { bos: "<s>", eos: null, pad: null } }, "special_tokens.bos"],
      [
        { tasks: { search: { query_prompt: "sea ".repeat(9), document_prompt: "" } } },
        "tasks.search.query_prompt",
      ],
      [
        { tasks: { search: { query_prompt: "", document_prompt: "sea ".repeat(9) } } },
        "tasks.search.document_prompt",
      ],
    ] as const;
    for (const [changes, field] of unfit) {
      describeAs(changes);
      await expect(loadModel(folder)).rejects.toMatchObject({ code: "model/invalid", details: { field } });
    }
  });
});

describe("a model", () => {
  it("may have a few rows more than its tokenizer has tokens, and a prompt as long as half of its input", async () => {
    describeAs({
      vocabulary: WORDS.length + 1024,
      tasks: { search: { query_prompt: "sea ".repeat(8), document_prompt: "" } },
    });
    const model = await loadModel(folder);
    expect(model.maxTextTokens("search", "query")).toBe(16 - 8 - 2);
  });
});

describe("a file of a model folder", () => {
  const refused = (name: string) => ({
    code: "model/unsafe-file",
    message: expect.stringContaining(join(folder, name)),
    details: { file: join(folder, name) },
  });

  it.each(FILES)(
    "%s is refused as a link out of the folder, though what it leads to is right",
    async (name) => {
      const outside = join(mkdtempSync(join(root, "outside-")), name);
      renameSync(join(folder, name), outside);
      symlinkSync(outside, join(folder, name));
      await expect(loadModel(folder)).rejects.toMatchObject(refused(name));
    },
  );

  it.each(FILES)("%s is refused as a link to a file beside it", async (name) => {
    renameSync(join(folder, name), join(folder, "beside"));
    symlinkSync("beside", join(folder, name));
    await expect(loadModel(folder)).rejects.toMatchObject(refused(name));
  });

  it.each(FILES)("%s is refused where another name shares it", async (name) => {
    linkSync(join(folder, name), join(root, `shared-${name}`));
    await expect(loadModel(folder)).rejects.toMatchObject(refused(name));
  });

  it.each(FILES.slice(1))("%s is refused as a link to nothing, and as a folder", async (name) => {
    rmSync(join(folder, name));
    symlinkSync("nothing", join(folder, name));
    await expect(loadModel(folder)).rejects.toMatchObject(refused(name));
    rmSync(join(folder, name));
    mkdirSync(join(folder, name));
    await expect(loadModel(folder)).rejects.toMatchObject(refused(name));
  });

  it("is accepted in a folder that is itself reached by a link", async () => {
    const door = join(root, "door");
    symlinkSync(folder, door);
    expect((await loadModel(door)).encoderHash).toBe(await hashNow());
  });
});

describe("a name that leads elsewhere", () => {
  const NAMES = ["../secret", "..", ".", "sub/secret", "sub\\secret", "c:secret", "secret\0"];

  beforeEach(() => {
    // All that such a name could mean is there, so that only the name can be what is refused.
    mkdirSync(join(folder, "sub"));
    for (const path of ["../secret", "sub/secret", "sub\\secret", "c:secret", "secret"])
      copyFileSync(join(folder, "tokenizer.json"), join(folder, path));
  });

  it.each([...NAMES, "/etc/passwd"])("is refused in the description: %j", async (name) => {
    const places = [
      { tokenizer: { file: name, lowercase: false } },
      { graphs: [{ file: name, dense: "hidden", sparse: null }] },
      { prior: name },
    ];
    for (const place of places) {
      describeAs(place);
      await expect(loadModel(folder), JSON.stringify(place)).rejects.toMatchObject({
        code: "model/unsafe-file",
        message: expect.stringMatching(/^model\.json names the file/u),
      });
    }
  });

  it.each([...NAMES, "", "/etc/passwd"])(
    "is refused as external data, by graph and name: %j",
    async (name) => {
      const graph = join(folder, "model.onnx");
      writeFileSync(graph, initializer(name));
      await expect(loadModel(folder)).rejects.toMatchObject({
        code: "model/unsafe-file",
        message: expect.stringContaining(`${graph} names the file`),
        details: { file: graph },
      });
    },
  );

  it("is refused in the second graph as in the first", async () => {
    writeFileSync(join(folder, "sparse.onnx"), initializer("../secret"));
    describeAs({
      graphs: [...DESCRIPTION.graphs, { file: "sparse.onnx", dense: null, sparse: "impacts" }],
      sparse: { mask: [], top_k: 8 },
    });
    await expect(loadModel(folder)).rejects.toMatchObject({
      code: "model/unsafe-file",
      details: { file: join(folder, "sparse.onnx") },
    });
  });
});
