/** Web Crypto's digest without its threads, whose order no seed decides. The digests are the same. */
import { createHash } from "node:crypto";

/** Makes `crypto.subtle.digest` answer without leaving the thread. Gives the way back. */
export function digestInPlace(): () => void {
  const { subtle } = globalThis.crypto;
  const original = Object.getOwnPropertyDescriptor(subtle, "digest");
  const value = async (algorithm: string, data: Uint8Array): Promise<ArrayBuffer> => {
    if (algorithm !== "SHA-256") throw new Error(`No digest ${algorithm} here.`);
    return Uint8Array.from(createHash("sha256").update(data).digest()).buffer;
  };
  Object.defineProperty(subtle, "digest", { value, configurable: true, writable: true });
  return () => {
    if (original === undefined) Reflect.deleteProperty(subtle, "digest");
    else Object.defineProperty(subtle, "digest", original);
  };
}
