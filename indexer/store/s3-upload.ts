/** Large bodies go to an S3 store in parts, of which each can be sent again by itself. */
import { S3Failure } from "./s3-failure.ts";
import type { Condition, S3Requests } from "./s3-requests.ts";

/** How a body is cut. */
export interface S3Parts {
  /** Bytes of every part but the last, at least 5 MiB for Amazon and Cloudflare. Bodies up to this are sent whole. */
  readonly bytes: number;
  /** Parts on their way at once. */
  readonly atOnce: number;
}

/**
 * Uploads a body in parts and makes them an object if the condition holds then; its etag. `again`
 * runs a request that may be sent twice as often as it takes. An upload that fails is given up, so that
 * its parts cost nothing, unless it may yet become an object: what is not known is left alone.
 */
export async function uploadInParts(
  requests: S3Requests,
  key: string,
  body: Uint8Array<ArrayBuffer>,
  condition: Condition,
  parts: S3Parts,
  again: (work: () => Promise<string>) => Promise<string>,
): Promise<string> {
  const upload = await again(() => requests.beginUpload(key));
  let completing = false;
  try {
    const etags = await sendParts(body, parts, (part, number) =>
      again(() => requests.putPart(key, upload, number, part)),
    );
    completing = true;
    return await requests.completeUpload(key, upload, etags, body.length, condition);
  } catch (error) {
    const mayHappen = completing && error instanceof S3Failure && error.kind === "unclear";
    // The first error says more than one about the clearing up.
    if (!mayHappen) await requests.abortUpload(key, upload).catch(() => undefined);
    throw error;
  }
}

async function sendParts(
  body: Uint8Array<ArrayBuffer>,
  { bytes, atOnce }: S3Parts,
  send: (part: Uint8Array<ArrayBuffer>, number: number) => Promise<string>,
): Promise<readonly string[]> {
  const etags: string[] = new Array(Math.ceil(body.length / bytes));
  let next = 0;
  let failed = false;
  const sender = async () => {
    while (next < etags.length && !failed) {
      const at = next++;
      try {
        etags[at] = await send(body.subarray(at * bytes, (at + 1) * bytes), at + 1);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  // All must have come to rest before anybody gives the upload up.
  const ends = await Promise.allSettled(Array.from({ length: atOnce }, sender));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return etags;
}
