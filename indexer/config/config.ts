/** The config file of `lightedge reindex`: what is indexed from where into which store, and by whom. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { asLightedgeError, LightedgeError, printable } from "../../shared/errors.ts";
import { checkOption, type Option } from "../commands/command.ts";
import { DURATION_FORM, durationIn } from "../commands/duration.ts";
import { SPEC_OPTIONS, specOf } from "../commands/index-options.ts";
import type { IndexSpec } from "../commands/run-index.ts";
import { DEVICES } from "../encode/device.ts";
import { type ConfigNode, parseConfig } from "./node.ts";
import { type ConfigRegion, regionsIn } from "./regions.ts";

/** One index of a config file. */
export interface ConfigIndex {
  readonly spec: IndexSpec;
  /** Where it stands in the file. */
  readonly line: number;
}

/** A config file, every key checked and every path made absolute. */
export interface Config {
  readonly file: string;
  /** Who publishes: the versions are marked with it. */
  readonly name: string;
  readonly store: string;
  /** Home first; empty where the store is the only one. */
  readonly regions: readonly ConfigRegion[];
  /** Address of the deployment, without a slash at the end. */
  readonly url?: string;
  /** The embedded model when absent. */
  readonly model?: string;
  /** Folder of cached encodings. */
  readonly cache: string;
  readonly device: (typeof DEVICES)[number];
  readonly indexes: readonly ConfigIndex[];
}

const KEYS = ["name", "store", "regions", "url", "model", "cache", "device", "indexes"] as const;
const { task: _, ...SPEC_KEYS } = SPEC_OPTIONS;
const INDEX_KEYS = ["index", "sources", "tasks", ...Object.keys(SPEC_KEYS), "max-age"];
const NAME_LENGTH = 128;
const VARIABLE = /\$\{([^}]*)\}/gu;

/** Variables of the environment, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks a config file. Throws `usage/invalid` naming file, line, key, value and what is
 * allowed. Paths in it are relative to the file; `${NAME}` in `store` is a variable of the environment.
 */
export async function loadConfig(file: string, environment: Environment): Promise<Config> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (error) {
    throw new LightedgeError("usage/invalid", unreadable(file, error), { field: "CONFIG", file }, error);
  }
  const root = parseConfig(file, text);
  const keys = root.mapping(KEYS);
  const folder = dirname(resolve(file));
  const pathOf = (node: ConfigNode) => resolve(folder, node.text());
  const indexes = required(keys, "indexes", root)
    .list()
    .map((node) => indexOf(node, folder));
  refuseTwice(indexes, file);
  const model = keys.get("model");
  const cache = keys.get("cache");
  const device = keys.get("device");
  const storeOf = (node: ConfigNode) => storeUrl(node, folder, environment);
  const store = storeOf(required(keys, "store", root));
  const regions = keys.get("regions");
  const url = keys.get("url");
  return {
    file,
    name: nameOf(required(keys, "name", root)),
    store,
    regions: regions === undefined ? [] : regionsIn(regions, store, storeOf),
    ...(url === undefined ? {} : { url: addressOf(url) }),
    ...(model === undefined ? {} : { model: pathOf(model) }),
    cache: cache === undefined ? resolve(folder, ".lightedge/cache") : pathOf(cache),
    device: device === undefined ? "auto" : oneOf(device, DEVICES),
    indexes,
  };
}

function unreadable(file: string, error: unknown): string {
  if (error instanceof TypeError) return `The config file ${file} is not UTF-8.`;
  if (error instanceof Error && "code" in error && error.code === "ENOENT")
    return `There is no config file ${file}. Name yours: lightedge reindex CONFIG.`;
  return `The config file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`;
}

function required(keys: ReadonlyMap<string, ConfigNode>, name: string, around: ConfigNode): ConfigNode {
  const found = keys.get(name);
  if (found !== undefined) return found;
  throw around.refuse(`${around.key === "" ? "the file" : around.key} must have the key ${name}.`);
}

function nameOf(node: ConfigNode): string {
  const name = node.text();
  if (name.length > NAME_LENGTH || !/^[\x21-\x7e]+$/u.test(name))
    throw node.wrong(`1 to ${NAME_LENGTH} visible ASCII characters without spaces`, NAME_LENGTH);
  return name;
}

function addressOf(node: ConfigNode): string {
  const text = node.text();
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/u.test(url.protocol) || url.search + url.hash + url.username !== "")
    throw node.wrong("an address such as https://search.example.org");
  return url.href.replace(/\/+$/u, "");
}

function oneOf<const T extends string>(node: ConfigNode, allowed: readonly T[]): T {
  const value = node.scalar(`one of ${allowed.join(", ")}`);
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw node.wrong(`one of ${allowed.join(", ")}`);
}

function storeUrl(node: ConfigNode, folder: string, environment: Environment): string {
  const url = node.text().replaceAll(VARIABLE, (_whole, name: string) => {
    const value = environment[name];
    if (value !== undefined && value !== "") return value;
    throw node.refuse(`the variable ${printable(name)} of ${node.key} is not set in the environment.`);
  });
  // A relative folder belongs to the file; other forms are absolute by themselves.
  return url.startsWith("file:") && !url.startsWith("file://")
    ? `file:${resolve(folder, url.slice(5))}`
    : url;
}

function indexOf(node: ConfigNode, folder: string): ConfigIndex {
  const keys = node.mapping(INDEX_KEYS);
  const values = new Map<string, string | number>();
  for (const [name, option] of Object.entries<Option>(SPEC_KEYS)) {
    const found = keys.get(name);
    if (found !== undefined) values.set(name, optionValue(found, option));
    else if (option.default !== undefined) values.set(name, String(option.default));
  }
  const sources = required(keys, "sources", node)
    .list()
    .map((source) => resolve(folder, source.text()));
  const index = required(keys, "index", node);
  const name = index.text();
  const tasks = tasksOf(keys.get("tasks"));
  const maxAge = keys.get("max-age");
  const options = {
    text: (option: string) => values.get(option)?.toString(),
    texts: () => tasks,
    number: (option: string) => (values.has(option) ? Number(values.get(option)) : undefined),
  };
  return {
    spec: {
      ...inPlace(index, () => specOf(name, sources, options)),
      ...(maxAge === undefined ? {} : { maxAge: maxAgeOf(maxAge) }),
    },
    line: node.line,
  };
}

function tasksOf(node: ConfigNode | undefined): readonly string[] {
  const items = node?.list() ?? [];
  const names = items.map((item) => item.text());
  for (const [at, item] of items.entries())
    if (names.indexOf(names[at]!) < at) throw item.refuse(`the task ${names[at]} is named twice.`);
  return names;
}

/** A key of an index means what the option of that name does, and has its bounds. */
function optionValue(node: ConfigNode, option: Option): string | number {
  const { type, choices } = option;
  const value = node.scalar(type === "number" ? "a number" : "text");
  if (type === "number" && typeof value !== "number") throw node.wrong("a number");
  // `table-bits: 3` is a number in YAML and one of a few words here.
  if (type === "string" && choices === undefined && typeof value !== "string") throw node.wrong("text");
  if (value === "" || typeof value === "boolean") throw node.wrong(choices?.join(", ") ?? "text");
  return inPlace(node, () => {
    checkOption(node.key, option, String(value));
    return value;
  });
}

function maxAgeOf(node: ConfigNode): number {
  const value = node.scalar(DURATION_FORM);
  const duration = typeof value === "string" ? durationIn(value) : null;
  if (duration === null || duration === 0) throw node.wrong(DURATION_FORM);
  return duration;
}

/** Does this, and puts file and line before what it refuses. */
function inPlace<T>(node: ConfigNode, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { message, details } = asLightedgeError(error);
    throw node.refuse(message, details.limit);
  }
}

function refuseTwice(indexes: readonly ConfigIndex[], file: string): void {
  const lines = new Map<string, number>();
  for (const { spec, line } of indexes) {
    const before = lines.get(spec.index);
    if (before !== undefined) {
      throw new LightedgeError(
        "usage/invalid",
        `${file}:${line}: the index ${spec.index} is in line ${before} already; an index has one entry, and each run publishes all of it.`,
        { file, line, field: "indexes", value: spec.index },
      );
    }
    lines.set(spec.index, line);
  }
}
