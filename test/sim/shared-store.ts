/** The one store of a simulation: in memory, by the simulation's clock, everything that lands told to the ledger. */
import { MemoryStore } from "../../shared/store/memory.ts";
import type { ObjectInfo, PutOutcome } from "../../shared/store/store.ts";
import type { Ledger } from "./ledger.ts";

/** A store in memory whose every change is seen. */
export class SharedStore extends MemoryStore {
  readonly #ledger: Ledger;
  readonly #clock: () => number;

  constructor(ledger: Ledger, clock: () => number) {
    super(clock);
    this.#ledger = ledger;
    this.#clock = clock;
  }

  override async put(key: string, body: Uint8Array<ArrayBuffer>): Promise<ObjectInfo> {
    const info = await super.put(key, body);
    this.#ledger.wrote(key, body, this.#clock());
    return info;
  }

  override async putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>): Promise<PutOutcome> {
    return this.#told(key, body, await super.putIfAbsent(key, body));
  }

  override async putIfMatch(key: string, body: Uint8Array<ArrayBuffer>, etag: string): Promise<PutOutcome> {
    return this.#told(key, body, await super.putIfMatch(key, body, etag));
  }

  override async delete(key: string): Promise<void> {
    await super.delete(key);
    this.#ledger.deleted(key, this.#clock());
  }

  #told(key: string, body: Uint8Array<ArrayBuffer>, outcome: PutOutcome): PutOutcome {
    if (outcome.kind === "written") this.#ledger.wrote(key, body, this.#clock());
    return outcome;
  }
}
