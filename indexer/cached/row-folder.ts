/**
 * Blocks of rows in a folder, a file each. Files of several machines' parts may be copied into one folder: a name says
 * which block, and the same block has the same bytes everywhere.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { LightedgeError } from "../../shared/errors.ts";
import { codeOf } from "../store/disk.ts";
import { readBlock } from "./block-file.ts";
import type { RowPlan } from "./row-plan.ts";

/** Where the rows of a plan lie in a folder of caches. */
export function rowFolder(cache: string, { key }: Pick<RowPlan, "key">): string {
  return join(cache, "rows", key.slice(0, 16));
}

/** The name of a block's file, here and in a store. */
export function blockName(number: number): string {
  return `${String(number).padStart(5, "0")}.rows`;
}

/** The blocks of a plan on disk. */
export class RowFolder {
  readonly #plan: RowPlan;
  readonly #folder: string;
  #made = false;

  constructor(plan: RowPlan, cache: string) {
    this.#plan = plan;
    this.#folder = rowFolder(cache, plan);
  }

  pathOf(number: number): string {
    return join(this.#folder, blockName(number));
  }

  /**
   * A block's halves, or null where it has to be made: it is not there, or torn. Throws `model/invalid` for a sound file
   * of other rows, which somebody must have copied here.
   */
  read(number: number): Uint16Array | null {
    const bytes = this.bytes(number);
    if (bytes === null) return null;
    const found = readBlock(bytes, { plan: this.#plan, number });
    if (found === "torn") return null;
    if (found !== "foreign") return found;
    const { model, task } = this.#plan;
    throw new LightedgeError(
      "model/invalid",
      `${this.pathOf(number)} holds rows of another model, task or block than ${model.description.name}, ${task}, ${number}. Delete it.`,
      { field: "cache", file: this.pathOf(number) },
    );
  }

  /** A file as it is, or null. */
  bytes(number: number): Buffer<ArrayBuffer> | null {
    try {
      return readFileSync(this.pathOf(number));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return null;
      throw error;
    }
  }

  /** Puts a block there whole: whoever reads finds all of it or what was there before. */
  write(number: number, bytes: Uint8Array): void {
    const temporary = join(this.#folder, `~${hostname()}-${process.pid}`);
    if (!this.#made) mkdirSync(this.#folder, { recursive: true });
    this.#made = true;
    writeFileSync(temporary, bytes);
    renameSync(temporary, this.pathOf(number));
  }
}
