/** A model folder, read, checked and hashed. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { LightedgeError, printable } from "../../shared/errors.ts";
import { type Sha256, sha256OfJson } from "../../shared/hash.ts";
import { compactTokenizer, loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Tokenizer, TokenizerFile } from "../../shared/tokenizer/tokenizer.ts";
import { type ModelDescription, parseDescription, type QueryTable } from "./description.ts";
import { checkPlainName, externalFiles } from "./onnx-files.ts";

/** Which side of a search a text is on: it decides the prompt. */
export type Role = "query" | "document";

/** Token ids that a model puts around texts; null where it has none. */
export interface SpecialIds {
  readonly bos: number | null;
  readonly eos: number | null;
  /** What fills a batch; 0 where the model names none, since the attention mask hides it. */
  readonly pad: number;
}

/** A model, ready to be run. */
export interface Model {
  readonly folder: string;
  readonly description: ModelDescription;
  /** Every file that decides what encodings are, with its digest. The prior is not one of them. */
  readonly files: readonly { readonly name: string; readonly sha256: Sha256; readonly bytes: number }[];
  /** Digest of the files and of what decides encodings in the description: two models with the same one give the same. */
  readonly encoderHash: Sha256;
  /** The tokenizer's stored form. */
  readonly tokenizer: TokenizerFile;
  readonly special: SpecialIds;
  /** Numbers of a vector in use: what the description cuts its `dimension` to. */
  readonly dimension: number;
  readonly queryTable: QueryTable;
  /** Tokens of the prompt of a task and role. */
  promptTokens(task: string, role: Role): readonly number[];
  /** Tokens of a text that reach the model beside prompt and special tokens. */
  maxTextTokens(task: string, role: Role): number;
}

/** Reads a model folder. Throws `model/invalid` or `model/unsafe-file`. Cost: every file is hashed once. */
export async function loadModel(folder: string): Promise<Model> {
  const description = parseDescription(await readDescription(folder));
  const names = [checkPlainName(description.tokenizer.file, "model.json")];
  for (const graph of description.graphs) {
    const name = checkPlainName(graph.file, "model.json");
    await checkRegular(folder, name);
    names.push(name, ...(await externalFiles(join(folder, name))));
  }
  if (description.prior !== null) await checkRegular(folder, checkPlainName(description.prior, "model.json"));
  const files = [];
  for (const name of new Set(names)) files.push(await hashFile(folder, name));
  const encoderHash = await hashOf(description, files);
  const tokenizer = compactTokenizer(
    await readFile(join(folder, description.tokenizer.file), "utf8"),
    description.tokenizer.lowercase,
  );
  const loaded = loadTokenizer(tokenizer);
  checkVocabulary(description, loaded.vocabulary);
  const prompts = promptTokens(description, loaded);
  const special = specialIds(description, loaded);
  const around = (special.bos === null ? 0 : 1) + (special.eos === null ? 0 : 1);
  const promptOf = (task: string, role: Role) =>
    prompts.get(`${role} ${task}`) ?? unknownTask(description, task);
  return {
    folder,
    description,
    files,
    encoderHash,
    tokenizer,
    special,
    dimension: description.cut ?? description.dimension,
    queryTable: description.query_table ?? "fitted",
    promptTokens: promptOf,
    maxTextTokens: (task, role) => description.max_tokens - around - promptOf(task, role).length,
  };
}

/** Rows that a vocabulary may have beyond its tokenizer's tokens: makers fill it up to a multiple of some power of two. */
const SPARE_ROWS = 1024;

function checkVocabulary({ vocabulary, tokenizer }: ModelDescription, tokens: number): void {
  if (tokens <= vocabulary && vocabulary <= tokens + SPARE_ROWS) return;
  throw new LightedgeError(
    "model/invalid",
    `model.json: vocabulary is ${vocabulary} and ${printable(tokenizer.file)} has ${tokens} tokens; it must have as many, or up to ${SPARE_ROWS} fewer. It is another model's tokenizer, or vocabulary is wrong.`,
    { field: "vocabulary", value: String(vocabulary), limit: tokens },
  );
}

/** Texts for people, and how query tables are made and read, change no encoding: caches outlive a change of them. */
function hashOf(description: ModelDescription, files: Model["files"]): Promise<Sha256> {
  const { name, licence, source, prior, query_table, max_query_tokens, ...agreed } = description;
  return sha256OfJson({ ...agreed, files: files.map((file) => [file.name, file.sha256]) });
}

async function readDescription(folder: string): Promise<string> {
  let json: string;
  try {
    json = await readFile(join(folder, "model.json"), "utf8");
  } catch (error) {
    throw new LightedgeError(
      "model/invalid",
      `${printable(folder)} is no model folder: it has no readable model.json.`,
      { field: "model", value: printable(folder) },
      error,
    );
  }
  await checkRegular(folder, "model.json");
  return json;
}

/** Throws unless the name is a regular file of the folder that no other name shares: no link can lead out of it. */
async function checkRegular(folder: string, name: string): Promise<void> {
  const path = join(folder, name);
  const info = await lstat(path).catch((error: unknown) => {
    throw new LightedgeError(
      "model/invalid",
      `The model folder has no file ${printable(name)}.`,
      { file: path },
      error,
    );
  });
  if (info.isFile() && info.nlink === 1) return;
  throw new LightedgeError(
    "model/unsafe-file",
    `${path} is a link or no regular file. Copy the file itself into the model folder.`,
    { file: path },
  );
}

async function hashFile(folder: string, name: string): Promise<Model["files"][number]> {
  await checkRegular(folder, name);
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(join(folder, name))) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { name, sha256: hash.digest("hex") as Sha256, bytes };
}

function promptTokens(
  description: ModelDescription,
  tokenizer: Tokenizer,
): ReadonlyMap<string, readonly number[]> {
  const prompts = new Map<string, readonly number[]>();
  for (const [task, { query_prompt, document_prompt }] of Object.entries(description.tasks)) {
    for (const [role, prompt] of [
      ["query", query_prompt],
      ["document", document_prompt],
    ] as const) {
      const ids = tokenizer.ids(prompt);
      const limit = Math.floor(description.max_tokens / 2);
      if (ids.length > limit) {
        throw new LightedgeError(
          "model/invalid",
          `model.json: tasks.${task}.${role}_prompt takes ${ids.length} tokens; ${limit} are allowed, half of max_tokens, so that a text fits behind it.`,
          { field: `tasks.${task}.${role}_prompt`, value: String(ids.length), limit },
        );
      }
      prompts.set(`${role} ${task}`, ids);
    }
  }
  return prompts;
}

function unknownTask({ tasks }: ModelDescription, task: string): never {
  throw new LightedgeError(
    "usage/invalid",
    `The model has no task ${printable(task)}; it has ${Object.keys(tasks).join(", ")}.`,
    { field: "task", value: printable(task) },
  );
}

function specialIds({ special_tokens }: ModelDescription, tokenizer: Tokenizer): SpecialIds {
  const idOf = (field: "bos" | "eos" | "pad") => {
    const token = special_tokens[field];
    if (token === null) return null;
    const id = tokenizer.idOf(token);
    if (id !== undefined) return id;
    throw new LightedgeError(
      "model/invalid",
      `model.json: special_tokens.${field} is ${printable(token)}, which the tokenizer does not have.`,
      { field: `special_tokens.${field}` },
    );
  };
  return { bos: idOf("bos"), eos: idOf("eos"), pad: idOf("pad") ?? 0 };
}
