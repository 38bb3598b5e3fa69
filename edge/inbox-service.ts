/** Inboxes behind a service that speaks the protocol of `storeResponse` in `indexer/store/service.ts`. */
import { inboxKey, inboxPrefix, type WriteId } from "../shared/format/names.ts";
import {
  type EntryOutcome,
  type InboxStore,
  type ListedWrite,
  listedWrites,
  unknownOutcome,
} from "./inbox-store.ts";
import { readTwice } from "./read-twice.ts";

/** Whatever answers requests for inboxes: a service binding is one. */
export interface InboxService {
  fetch(
    url: string,
    init: { method: string; headers?: Record<string, string>; body?: Uint8Array<ArrayBuffer> },
  ): Promise<Response>;
}

/** Inboxes of any store. Local serving uses it. */
export class ServiceInbox implements InboxStore {
  readonly #service: InboxService;

  constructor(service: InboxService) {
    this.#service = service;
  }

  async put(index: string, write: WriteId, body: Uint8Array<ArrayBuffer>): Promise<EntryOutcome> {
    const key = inboxKey(index, write);
    let status: number;
    try {
      const headers = { "if-none-match": "*" };
      const response = await this.#service.fetch(`http://store/${key}`, { method: "PUT", headers, body });
      await response.body?.cancel();
      status = response.status;
    } catch (error) {
      throw unknownOutcome(key, error);
    }
    if (status === 201) return "written";
    if (status === 412) return "there already";
    throw unknownOutcome(key, new Error(`The store service answered ${status} to a PUT.`));
  }

  list(index: string, from: string | null): Promise<readonly ListedWrite[]> {
    const prefix = inboxPrefix(index);
    const query = from === null ? "" : `?from=${from}`;
    return readTwice(prefix, async () => {
      const response = await this.#service.fetch(`http://store/${prefix}${query}`, { method: "GET" });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new Error(`The store service answered ${response.status} to a listing.`);
      }
      const { objects }: { objects: readonly { key: string; bytes: number }[] } = await response.json();
      return listedWrites(index, objects);
    });
  }
}
