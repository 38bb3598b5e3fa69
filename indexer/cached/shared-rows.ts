/** Blocks of rows in a store, for machines that share no disk. Nothing refers to them, so they may be deleted at any time. */
import type { WriteStore } from "../../shared/store/store.ts";
import { createContent } from "../store/content.ts";
import { blockBytes, readBlock } from "./block-file.ts";
import { blockName } from "./row-folder.ts";
import type { RowPlan } from "./row-plan.ts";

/** The blocks of a plan in a store. */
export class SharedRows {
  readonly #plan: RowPlan;
  readonly #store: WriteStore;
  readonly #prefix: string;

  constructor(plan: RowPlan, store: WriteStore) {
    this.#plan = plan;
    this.#store = store;
    this.#prefix = `rows/${plan.key.slice(0, 16)}/`;
  }

  /** Numbers of the blocks that are there, by name and length; whether they are sound shows when they are fetched. */
  async list(): Promise<Set<number>> {
    const found = new Set<number>();
    for await (const { key, bytes } of this.#store.list(this.#prefix)) {
      const name = key.slice(this.#prefix.length);
      const number = Number.parseInt(name, 10);
      const ours = name === blockName(number) && number < this.#plan.blocks;
      if (ours && bytes === blockBytes({ plan: this.#plan, number })) found.add(number);
    }
    return found;
  }

  /** A block's bytes; null where it has gone, `damaged` where it is not what its name says. */
  async fetch(number: number): Promise<Uint8Array<ArrayBuffer> | "damaged" | null> {
    const body = (await this.#store.get(this.keyOf(number)))?.body;
    if (body === undefined) return null;
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
    return typeof readBlock(bytes, { plan: this.#plan, number }) === "string" ? "damaged" : body;
  }

  /** Puts a block there; over what is there where that is known to be damaged. */
  async put(number: number, bytes: Uint8Array<ArrayBuffer>, over: boolean): Promise<void> {
    if (over) await this.#store.put(this.keyOf(number), bytes);
    else await createContent(this.#store, this.keyOf(number), bytes);
  }

  keyOf(number: number): string {
    return `${this.#prefix}${blockName(number)}`;
  }
}
