import { LightedgeError } from "../shared/errors.ts";
import { checkKey } from "../shared/store/keys.ts";
import { checkLength, checkRange } from "../shared/store/range.ts";
import type { ObjectInfo, ReadStore, StoredObject } from "../shared/store/store.ts";
import { bytesOfBody } from "./body-bytes.ts";
import { readTwice } from "./read-twice.ts";

/** Whatever answers requests for objects: a service binding is one. */
export interface ObjectService {
  fetch(url: string, init?: { method?: string; headers?: Record<string, string> }): Promise<Response>;
}

/**
 * Reads any store through a service that speaks the protocol of `storeResponse` in
 * `indexer/store/service.ts`. Local serving uses it instead of the simulator of R2, which
 * drops connections under load. A read that fails is repeated once; then it is
 * `store/unavailable`.
 */
export class ServiceStore implements ReadStore {
  readonly #service: ObjectService;
  readonly #backoffMs: number | undefined;

  /** `backoffMs` is the pause before a second try. */
  constructor(service: ObjectService, backoffMs?: number) {
    this.#service = service;
    this.#backoffMs = backoffMs;
  }

  async get(key: string): Promise<StoredObject | null> {
    checkKey(key);
    return this.#read(key, async () => {
      const response = await this.#fetch(key, "GET");
      if (await isMissing(response)) return null;
      await expectStatus(response, 200);
      const info = infoOf(key, response);
      const body = await bytesOfBody(response.body, info.bytes);
      checkLength(key, info.bytes, body.length);
      return { ...info, body };
    });
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    checkKey(key);
    checkRange(key, offset, length);
    if (length === 0) return this.#emptyRange(key, offset);
    const range = `bytes=${offset}-${offset + length - 1}`;
    return this.#read(key, async () => {
      const response = await this.#fetch(key, "GET", { range });
      if (await isMissing(response)) return null;
      if (response.status === 416) {
        await response.body?.cancel();
        const message = `${key} cannot give ${length} bytes from ${offset}.`;
        throw new LightedgeError("blob/corrupt", message, { blob: key });
      }
      await expectStatus(response, 206);
      const body = await bytesOfBody(response.body, length);
      checkLength(key, length, body.length);
      return body;
    });
  }

  async head(key: string): Promise<ObjectInfo | null> {
    checkKey(key);
    return this.#read(key, async () => {
      const response = await this.#fetch(key, "HEAD");
      if (await isMissing(response)) return null;
      await expectStatus(response, 200);
      return infoOf(key, response);
    });
  }

  /** HTTP cannot ask for no bytes; whether they lie inside is a question about the size alone. */
  async #emptyRange(key: string, offset: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const info = await this.head(key);
    if (info === null) return null;
    checkRange(key, offset, 0, info.bytes);
    return new Uint8Array(0);
  }

  #fetch(key: string, method: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#service.fetch(`http://store/${key}`, { method, headers });
  }

  #read<T>(key: string, read: () => Promise<T>): Promise<T> {
    return readTwice(key, read, this.#backoffMs);
  }
}

async function isMissing(response: Response): Promise<boolean> {
  if (response.status !== 404) return false;
  await response.body?.cancel();
  return true;
}

async function expectStatus(response: Response, status: number): Promise<void> {
  if (response.status === status) return;
  await response.body?.cancel();
  throw new Error(`The store service answered ${response.status} instead of ${status}.`);
}

function infoOf(key: string, response: Response): ObjectInfo {
  const etag = /^"([^"]+)"$/.exec(response.headers.get("etag") ?? "")?.[1];
  const bytes = response.headers.get("x-object-bytes") ?? "";
  const modified = response.headers.get("x-object-modified") ?? "";
  if (etag === undefined || !/^\d{1,16}$/.test(bytes) || !/^\d{1,16}$/.test(modified)) {
    throw new Error("The store service left out an etag, a length or a time.");
  }
  return { key, bytes: Number(bytes), etag, modified: Number(modified) };
}
