/** What a command of the command line is: its words, its options, and one function. */
import { parseArgs } from "node:util";
import { LightedgeError, printable } from "../../shared/errors.ts";

/** One option, as help shows it and as it is parsed. */
export interface Option {
  readonly type: "string" | "number" | "boolean";
  /** What stands for the value in help: `DIR`, or the words to choose from. */
  readonly value?: string;
  readonly help: string;
  readonly default?: string | number | boolean;
  /** The only words allowed. */
  readonly choices?: readonly string[];
  /** Bounds of a number, both included; whole numbers only where `integer`. */
  readonly least?: number;
  readonly most?: number;
  readonly integer?: boolean;
  readonly multiple?: boolean;
  readonly required?: boolean;
}

/** The values a command was called with. */
export interface Arguments {
  readonly positionals: readonly string[];
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  number(name: string): number | undefined;
  flag(name: string): boolean;
}

/** A verb of the command line. */
export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** The positional arguments as help writes them, and how many there may be. */
  readonly positionals: { readonly usage: string; readonly least: number; readonly most: number };
  readonly options: Readonly<Record<string, Option>>;
  /** Lines after the options: examples, exit codes. */
  readonly notes?: string;
  /** Resolves to the exit code. */
  run(args: Arguments, output: Output): Promise<number>;
}

/** Where a command prints. Results go to `result`, all else to standard error. */
export interface Output {
  /** Prints a result: as JSON where `--json` was given, else the text. */
  result(value: unknown, text: () => string): void;
  readonly json: boolean;
}

/** The option that every command which prints results has. */
export const JSON_OPTION: Option = { type: "boolean", help: "print one JSON object" };

/** The values in these words, checked. Throws `usage/invalid` naming option, value and bound. */
export function parseArguments(command: Command, words: readonly string[]): Arguments {
  const { positionals, values } = split(command, words);
  const { least, most, usage } = command.positionals;
  if (positionals.length < least || positionals.length > most) {
    const wanted = usage === "" ? "no arguments" : usage;
    throw new LightedgeError(
      "usage/invalid",
      `lightedge ${command.name} takes ${wanted}, not ${positionals.length} arguments.`,
      {
        field: usage,
        value: printable(positionals.join(" ")),
      },
    );
  }
  for (const [name, option] of Object.entries(command.options)) {
    const value = values[name];
    if (value === undefined && option.required)
      throw new LightedgeError("usage/invalid", `--${name} is required.`, { field: name });
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) checkOption(`--${name}`, option, String(one));
  }
  const value = (name: string) => values[name] ?? command.options[name]?.default;
  return {
    positionals,
    text: (name) => {
      const found = value(name);
      return typeof found === "string" ? found : undefined;
    },
    texts: (name) => {
      const found = values[name];
      return Array.isArray(found) ? found.map(String) : [];
    },
    number: (name) => (value(name) === undefined ? undefined : Number(value(name))),
    flag: (name) => value(name) === true,
  };
}

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

function split(command: Command, words: readonly string[]): { positionals: string[]; values: Values } {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, option]) => [
      name,
      {
        type: option.type === "boolean" ? ("boolean" as const) : ("string" as const),
        multiple: option.multiple ?? false,
      },
    ]),
  );
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new LightedgeError("usage/invalid", `${message}. See lightedge ${command.name} --help.`);
  }
}

/** Throws `usage/invalid` unless the option can have this value. `name` is what the message calls it: `--limit`. */
export function checkOption(name: string, { type, choices, ...bounds }: Option, value: string): void {
  if (choices !== undefined && !choices.includes(value))
    throw usage(name, value, `one of ${choices.join(", ")}`);
  if (type === "number") checkNumber(name, bounds, value);
}

function checkNumber(
  name: string,
  { least = -Infinity, most = Infinity, integer = false }: Pick<Option, "least" | "most" | "integer">,
  value: string,
): void {
  const number = value.trim() === "" ? Number.NaN : Number(value);
  const kind = integer ? "a whole number" : "a number";
  if (!Number.isFinite(number) || (integer && !Number.isInteger(number))) throw usage(name, value, kind);
  if (number < least) throw usage(name, value, `${kind} of at least ${least}`, least);
  if (number > most) throw usage(name, value, `${kind} of at most ${most}`, most);
}

function usage(name: string, value: string, wanted: string, limit?: number): LightedgeError {
  return new LightedgeError("usage/invalid", `${name} must be ${wanted}, not ${printable(value)}.`, {
    field: name.replace(/^--/u, ""),
    value: printable(value),
    ...(limit === undefined ? {} : { limit }),
  });
}

/** The help text of a command. */
export function helpOf(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]): readonly [string, string] => {
    const value =
      option.type === "boolean"
        ? ""
        : ` ${option.value ?? option.choices?.join("|") ?? (option.type === "number" ? "N" : "TEXT")}`;
    const extra = [
      option.required ? "required" : "",
      option.multiple ? "may be repeated" : "",
      option.default === undefined ? "" : `default ${option.default}`,
    ].filter((part) => part !== "");
    return [`--${name}${value}`, option.help + (extra.length > 0 ? ` (${extra.join(", ")})` : "")];
  });
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length), 6));
  const lines = [...rows, ["--help", "show this"] as const].map(
    ([left, right]) => `  ${left.padEnd(width)}  ${right}`,
  );
  const head = `Usage: lightedge ${command.name}${command.positionals.usage === "" ? "" : ` ${command.positionals.usage}`} [options]`;
  return [
    head,
    "",
    `${command.summary}.`,
    "",
    ...lines,
    ...(command.notes ? ["", command.notes] : []),
    "",
  ].join("\n");
}
