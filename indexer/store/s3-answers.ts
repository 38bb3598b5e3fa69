/** Answers of an S3 store as values of ours. What an answer must hold and does not is never guessed. */
import { Readable } from "node:stream";
import { checkLength } from "../../shared/store/range.ts";
import type { ObjectInfo } from "../../shared/store/store.ts";
import { S3Failure } from "./s3-failure.ts";

/** What is said of an object in an answer's head or a listing's entry. */
interface Facts {
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
}

/** An object's facts. Times are whole seconds, as in HTTP: some stores list milliseconds that a HEAD does not know. */
export function infoOf(key: string, facts: Facts, bytes: number | undefined): ObjectInfo {
  const modified = facts.LastModified?.getTime();
  if (bytes === undefined || modified === undefined || !Number.isFinite(modified)) {
    throw unlikely("sent an object without its length or time");
  }
  return { key, bytes, etag: etagOf(facts), modified: Math.floor(modified / 1000) * 1000 };
}

/** An etag without its quotes. It is opaque: of an object uploaded in parts it is no digest of the content. */
export function etagOf({ ETag }: Facts): string {
  const etag = ETag?.replace(/^"(.*)"$/, "$1");
  if (!etag) throw unlikely("sent an answer without an etag");
  return etag;
}

/** The bytes of a body that was promised to have so many, in a buffer to themselves. */
export async function bytesOf(key: string, body: unknown, length: number): Promise<Uint8Array<ArrayBuffer>> {
  if (!(body instanceof Readable)) throw unlikely("sent an answer without a body");
  const bytes = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of body) {
    const piece: Uint8Array = chunk;
    if (filled + piece.length <= length) bytes.set(piece, filled);
    filled += piece.length;
    if (filled > length) break;
  }
  checkLength(key, length, filled);
  return bytes;
}

/** The answer, or null where the store says that there is no such object. A HEAD says so by NotFound, having no body. */
export async function orAbsent<T>(
  answer: Promise<T>,
  isAbsent: (error: unknown) => boolean,
): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** The key that an entry of a listing stands for; what cannot be decoded is none of ours. */
export function decodedKey(key: string | undefined): string {
  try {
    return decodeURIComponent(key ?? "");
  } catch {
    return "";
  }
}

/** The failure of an answer that is no store's. The request may have been carried out all the same. */
export function unlikely(what: string): S3Failure {
  return new S3Failure("unclear", `it ${what}; is there a proxy in between?`);
}
