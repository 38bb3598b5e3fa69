/** A config file in a folder of its own, loaded and refused. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type Config, loadConfig } from "../../../indexer/config/config.ts";
import { LightedgeError } from "../../../shared/errors.ts";

/** The folder of the config file, which is gone after the tests. */
export const folder = mkdtempSync(join(tmpdir(), "lightedge-config-"));
/** The config file. */
export const FILE = join(folder, "lightedge.yaml");
afterAll(() => rmSync(folder, { recursive: true }));

/** Loads a config of this text. */
export function load(text: string | Uint8Array, environment: Record<string, string> = {}): Promise<Config> {
  writeFileSync(FILE, text);
  return loadConfig(FILE, environment);
}

/** The refusal of a config, without the file's path. */
export async function refusal(text: string | Uint8Array, environment?: Record<string, string>) {
  const error: unknown = await load(text, environment).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof LightedgeError)) throw new Error(`not refused: ${String(error)}`);
  return { code: error.code, message: error.message.replaceAll(`${folder}/`, ""), details: error.details };
}

/** The shortest text that is a config. */
export const LEAST = `name: docs-team
store: file:out
indexes:
  - index: docs
    sources: [docs]
`;
