/**
 * Which other files an ONNX graph would make the runtime read. A graph may keep tensors in
 * files beside it, named by itself, so a graph from somewhere else could name any file of
 * this machine. Here the file is walked as the protocol buffer it is, every such name is
 * found wherever it stands, and anything but a plain name is refused.
 */
import { type FileHandle, open } from "node:fs/promises";
import { LightedgeError, printable } from "../../shared/errors.ts";

/** Messages of onnx.proto that can hold a tensor, by field number: what to walk into, and as what. */
const CHILDREN = {
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  function: { 7: "node", 11: "attribute" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
  tensor: { 13: "entry" },
  entry: {},
} as const satisfies Readonly<Record<string, Readonly<Record<number, string>>>>;

type Message = keyof typeof CHILDREN;

/** Nesting of subgraphs that is followed; onnxruntime itself gives up far earlier than a stack does. */
const MAX_DEPTH = 64;
/** Bytes read at a time; payloads of tensors are skipped by position. */
const WINDOW = 1 << 16;
/** A key and its value in an `external_data` entry are short texts. */
const MAX_TEXT = 4096;

/** The names of external data files in an ONNX file, each once, in the order they occur. Throws `model/unsafe-file` or `model/invalid`. */
export async function externalFiles(path: string): Promise<readonly string[]> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const names = new Set<string>();
    await walk(new Reader(file, path), "model", 0, size, 0, (name) => names.add(checkPlainName(name, path)));
    return [...names];
  } finally {
    await file.close();
  }
}

/** The name itself if it names a file of the same folder and nothing else. Throws `model/unsafe-file`. */
export function checkPlainName(name: string, from: string): string {
  const plain = name !== "" && name !== "." && name !== ".." && !/[/\\:\0]/u.test(name) && name.length <= 255;
  if (plain) return name;
  throw new LightedgeError(
    "model/unsafe-file",
    `${from} names the file ${printable(name)}. Only plain file names inside the model folder are allowed.`,
    { file: from, value: printable(name) },
  );
}

async function walk(
  reader: Reader,
  message: Message,
  start: number,
  end: number,
  depth: number,
  found: (name: string) => void,
): Promise<void> {
  if (depth > MAX_DEPTH) throw reader.invalid(start, `nesting deeper than ${MAX_DEPTH}`);
  const children: Readonly<Record<number, string>> = CHILDREN[message];
  let key = "";
  let value = "";
  for (let at = start; at < end; ) {
    const tag = await reader.varint(at, end);
    at = tag.next;
    const field = Math.floor(tag.value / 8);
    const wire = tag.value % 8;
    if (wire === 0) at = (await reader.varint(at, end)).next;
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = await reader.varint(at, end);
      const from = length.next;
      at = from + length.value;
      if (at > end) throw reader.invalid(from, "a length beyond its message");
      const child = children[field];
      if (child !== undefined) await walk(reader, child as Message, from, at, depth + 1, found);
      else if (message === "entry" && field === 1) key = await reader.text(from, at);
      else if (message === "entry" && field === 2) value = await reader.text(from, at);
    } else throw reader.invalid(at, `wire type ${wire}`);
    if (at > end) throw reader.invalid(end, "a field beyond its message");
  }
  if (message === "entry" && key === "location") found(value);
}

/** Bytes of a file by position, a window at a time. */
class Reader {
  readonly #file: FileHandle;
  readonly #path: string;
  #window = Buffer.alloc(0);
  #start = 0;

  constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** A varint at a position, at most ten bytes and 2^53. */
  async varint(at: number, end: number): Promise<{ readonly value: number; readonly next: number }> {
    let value = 0;
    let scale = 1;
    for (let next = at; next < end && next < at + 10; next++, scale *= 128) {
      const byte = await this.#byte(next);
      value += (byte & 0x7f) * scale;
      // Negative numbers take ten bytes and pass 2^53; they are values we skip, never lengths.
      if (byte < 0x80) return { value: Math.min(value, Number.MAX_SAFE_INTEGER), next: next + 1 };
    }
    throw this.invalid(at, "an unfinished number");
  }

  async text(from: number, to: number): Promise<string> {
    if (to - from > MAX_TEXT) throw this.invalid(from, `a text of ${to - from} bytes`);
    const bytes = Buffer.alloc(to - from);
    await this.#file.read(bytes, 0, bytes.length, from);
    return bytes.toString("utf8");
  }

  invalid(at: number, what: string): LightedgeError {
    return new LightedgeError(
      "model/invalid",
      `${this.#path} is not a readable ONNX file: ${what} at byte ${at}.`,
      {
        file: this.#path,
      },
    );
  }

  async #byte(at: number): Promise<number> {
    if (at < this.#start || at >= this.#start + this.#window.length) {
      const window = Buffer.alloc(WINDOW);
      const { bytesRead } = await this.#file.read(window, 0, WINDOW, at);
      this.#window = window.subarray(0, bytesRead);
      this.#start = at;
    }
    const byte = this.#window[at - this.#start];
    if (byte === undefined) throw this.invalid(at, "the end of the file");
    return byte;
  }
}
