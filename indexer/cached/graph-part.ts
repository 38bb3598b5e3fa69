/**
 * The part of an ONNX graph that one output needs. onnxruntime computes a whole graph whatever outputs are asked for,
 * and a decoder's other output is a language model head over all positions: most of the time of a small model, and
 * `[batch, sequence, vocabulary]` numbers of memory. The file is a protocol buffer: onnx.proto, messages
 * ModelProto, GraphProto, NodeProto.
 */
import { LightedgeError, printable } from "../../shared/errors.ts";

/** One field of a message: its number, where its tag begins, and where its content begins and ends. */
interface Field {
  readonly number: number;
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

const MODEL = { graph: 7 } as const;
const GRAPH = {
  node: 1,
  initializer: 5,
  input: 11,
  output: 12,
  valueInfo: 13,
  annotation: 14,
  sparseInitializer: 15,
} as const;
const NODE = { input: 1, output: 2, attribute: 5 } as const;
const ATTRIBUTE = { graph: 6, graphs: 11 } as const;
/** Field of the name in a ValueInfoProto and a TensorAnnotation, and in a TensorProto. */
const [INFO_NAME, TENSOR_NAME, SPARSE_VALUES] = [1, 8, 1];

interface Node {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** The bytes of an ONNX file without what the output `name` does not need. Throws `model/invalid`. Cost: one copy. */
export function partFor(bytes: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const file = new Message(bytes);
  const parts: Uint8Array[] = [];
  for (const field of file.fields(0, bytes.length)) {
    if (field.number !== MODEL.graph) {
      parts.push(bytes.subarray(field.start, field.to));
      continue;
    }
    const graph = graphPart(file, field, name);
    parts.push(Uint8Array.of((MODEL.graph << 3) | 2, ...varint(lengthOf(graph))), ...graph);
  }
  return joined(parts);
}

/** The fields of the graph that stay, as they were. */
function graphPart(file: Message, { from, to }: Field, name: string): readonly Uint8Array[] {
  const fields = [...file.fields(from, to)];
  const nodes = new Map<Field, Node>();
  const producers = new Map<string, Node>();
  for (const field of fields) {
    if (field.number !== GRAPH.node) continue;
    const node = nodeOf(file, field);
    nodes.set(field, node);
    for (const output of node.outputs) producers.set(output, node);
  }
  const outputs = fields.filter(({ number }) => number === GRAPH.output);
  if (!outputs.some((field) => file.text(field, INFO_NAME) === name)) {
    throw new LightedgeError("model/invalid", `The graph has no output ${printable(name)}.`, {
      field: "graphs",
      value: printable(name),
    });
  }
  const { values, kept } = neededFor(name, producers);
  const stays = (field: Field): boolean => {
    switch (field.number) {
      case GRAPH.node:
        return kept.has(nodes.get(field)!);
      case GRAPH.output:
        return file.text(field, INFO_NAME) === name;
      case GRAPH.input:
      case GRAPH.valueInfo:
      case GRAPH.annotation:
        return values.has(file.text(field, INFO_NAME));
      case GRAPH.initializer:
        return values.has(file.text(field, TENSOR_NAME));
      case GRAPH.sparseInitializer:
        return [...file.fields(field.from, field.to)].some(
          (inner) => inner.number === SPARSE_VALUES && values.has(file.text(inner, TENSOR_NAME)),
        );
      default:
        return true;
    }
  };
  return fields.filter(stays).map(({ start, to: end }) => file.bytes.subarray(start, end));
}

/** Every value that this one is computed from, itself included, and the nodes on the way. */
function neededFor(name: string, producers: ReadonlyMap<string, Node>) {
  const values = new Set<string>();
  const kept = new Set<Node>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (values.has(next)) continue;
    values.add(next);
    const node = producers.get(next);
    if (node === undefined) continue;
    kept.add(node);
    // A node that stays keeps all its outputs: their descriptions must stay too.
    for (const output of node.outputs) values.add(output);
    waiting.push(...node.inputs.filter((input) => !values.has(input)));
  }
  return { values, kept };
}

/** Names that a node takes and gives. What its subgraphs take from around them counts as taken. */
function nodeOf(file: Message, node: Field): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  for (const field of file.fields(node.from, node.to)) {
    if (field.number === NODE.input) inputs.push(file.content(field));
    else if (field.number === NODE.output) outputs.push(file.content(field));
    else if (field.number === NODE.attribute) {
      for (const inner of file.fields(field.from, field.to)) {
        if (inner.number === ATTRIBUTE.graph || inner.number === ATTRIBUTE.graphs)
          inputs.push(...namesIn(file, inner));
      }
    }
  }
  return { inputs, outputs };
}

/** Every name that a subgraph's nodes take, and its outputs, which may come from around it. */
function namesIn(file: Message, graph: Field): readonly string[] {
  return [...file.fields(graph.from, graph.to)].flatMap((field) => {
    if (field.number === GRAPH.node) return nodeOf(file, field).inputs;
    return field.number === GRAPH.output ? [file.text(field, INFO_NAME)] : [];
  });
}

/** A protocol buffer in memory, read where it lies. */
class Message {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  *fields(start: number, end: number): Iterable<Field> {
    for (let at = start; at < end; ) {
      const tag = this.#varint(at, end);
      const number = Math.floor(tag.value / 8);
      const field = this.#extent(number, tag.value % 8, at, tag.next, end);
      yield field;
      at = field.to;
    }
  }

  /** The text of the first field of this number in a message; empty where there is none. */
  text(message: Field, number: number): string {
    for (const field of this.fields(message.from, message.to))
      if (field.number === number) return this.content(field);
    return "";
  }

  content({ from, to }: Field): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, to - from).toString("utf8");
  }

  #extent(number: number, wire: number, start: number, next: number, end: number): Field {
    const sized = (from: number, to: number): Field => {
      if (to > end) throw this.#invalid(start);
      return { number, start, from, to };
    };
    switch (wire) {
      case 0:
        return sized(next, this.#varint(next, end).next);
      case 1:
        return sized(next, next + 8);
      case 2: {
        const length = this.#varint(next, end);
        return sized(length.next, length.next + length.value);
      }
      case 5:
        return sized(next, next + 4);
      default:
        throw this.#invalid(start);
    }
  }

  #varint(at: number, end: number): { readonly value: number; readonly next: number } {
    let value = 0;
    let scale = 1;
    for (let next = at; next < end && next < at + 10; next++, scale *= 128) {
      const byte = this.bytes[next]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return { value, next: next + 1 };
    }
    throw this.#invalid(at);
  }

  #invalid(at: number): LightedgeError {
    return new LightedgeError("model/invalid", `The graph is not a readable ONNX file: byte ${at}.`, {
      field: "graphs",
    });
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
