/**
 * The requests of the S3 API that the store needs: one function each, one HTTP request each. Every
 * answer is checked for what it must hold, so that a page of a proxy's is not taken for an object.
 */

import { checkRange } from "../../shared/store/range.ts";
import type { ObjectInfo, StoredObject } from "../../shared/store/store.ts";
import { bytesOf, decodedKey, etagOf, infoOf, orAbsent, unlikely } from "./s3-answers.ts";
import type { S3Location } from "./s3-location.ts";
import type { S3Sender } from "./s3-session.ts";

/** What must hold for a write to happen: nothing at all, that nothing is there, or that this version is. */
export type Condition = "none" | "absent" | { readonly etag: string };

/** A page of a listing. */
export interface S3Page {
  readonly objects: readonly ObjectInfo[];
  /** What the next page is asked for by; undefined after the last one. */
  readonly next: string | undefined;
}

const TYPE = { ContentType: "application/octet-stream" };

/** Requests to one bucket. Throws `S3Failure`s, and `blob/corrupt` for a body of another length than promised. */
export class S3Requests {
  readonly #place: S3Location;
  readonly #sender: S3Sender;

  constructor(place: S3Location, sender: S3Sender) {
    this.#place = place;
    this.#sender = sender;
  }

  /** A whole object, or null. */
  async get(key: string): Promise<StoredObject | null> {
    return this.#sender.send(0, async ({ sdk, client, options, expect }) => {
      const command = new sdk.GetObjectCommand(this.#object(key));
      const found = await orAbsent(client.send(command, options), (error) => error instanceof sdk.NoSuchKey);
      if (found === null) return null;
      const info = infoOf(key, found, found.ContentLength);
      expect(info.bytes);
      return { ...info, body: await bytesOf(key, found.Body, info.bytes) };
    });
  }

  /** Bytes of an object, or null where there is none. At least one byte must be asked for. */
  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const range = { Range: `bytes=${offset}-${offset + length - 1}` };
    return this.#sender.send(0, async ({ sdk, client, options, expect }) => {
      const command = new sdk.GetObjectCommand({ ...this.#object(key), ...range });
      const found = await orAbsent(client.send(command, options), (error) => error instanceof sdk.NoSuchKey);
      if (found === null) return null;
      const [, first, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(found.ContentRange ?? "") ?? [];
      if (Number(first) !== offset) throw unlikely("sent something else than the range it was asked for");
      // Stores cut a range at the object's end and do not complain.
      checkRange(key, offset, length, Number(size));
      expect(length);
      return bytesOf(key, found.Body, length);
    });
  }

  /** An object's facts, or null. */
  async head(key: string): Promise<ObjectInfo | null> {
    return this.#sender.send(0, async ({ sdk, client, options }) => {
      const command = new sdk.HeadObjectCommand(this.#object(key));
      // The answer to a HEAD has no body that could say what is missing.
      const found = await orAbsent(client.send(command, options), (error) => error instanceof sdk.NotFound);
      return found === null ? null : infoOf(key, found, found.ContentLength);
    });
  }

  /** Writes an object in one request. Its etag. */
  async put(key: string, body: Uint8Array<ArrayBuffer>, condition: Condition): Promise<string> {
    const input = { ...this.#object(key), ...TYPE, ...headersFor(condition), Body: body };
    return this.#sender.send(body.length, async ({ sdk, client, options }) =>
      etagOf(await client.send(new sdk.PutObjectCommand(input), options)),
    );
  }

  /** Removes an object if it is there. */
  async delete(key: string): Promise<void> {
    return this.#sender.send(0, async ({ sdk, client, options }) => {
      const answer = await client.send(new sdk.DeleteObjectCommand(this.#object(key)), options);
      if (answer.$metadata.httpStatusCode !== 204) throw unlikely("answered a delete as no store does");
    });
  }

  /** A page of the keys that begin with a prefix, the first one or that which `token` stands for. */
  async list(prefix: string, token: string | undefined): Promise<S3Page> {
    const { bucket, prefix: folder } = this.#place;
    const input = {
      Bucket: bucket,
      Prefix: folder + prefix,
      // Keys of others who share the bucket may have characters that XML cannot hold.
      EncodingType: "url" as const,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    };
    return this.#sender.send(0, async ({ sdk, client, options }) => {
      const page = await client.send(new sdk.ListObjectsV2Command(input), options);
      const found = page.Contents ?? [];
      if (page.IsTruncated === undefined || (page.KeyCount ?? found.length) !== found.length) {
        throw unlikely("sent a listing that is cut");
      }
      const next = page.IsTruncated ? page.NextContinuationToken : undefined;
      if (page.IsTruncated && !next) throw unlikely("sent a listing that goes on without saying where");
      const objects = found.flatMap((entry) => {
        const key = decodedKey(entry.Key);
        return key.startsWith(folder) ? [infoOf(key.slice(folder.length), entry, entry.Size)] : [];
      });
      return { objects, next };
    });
  }

  /** Begins an upload in parts. Its id. */
  async beginUpload(key: string): Promise<string> {
    const input = { ...this.#object(key), ...TYPE };
    return this.#sender.send(0, async ({ sdk, client, options }) => {
      const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(input), options);
      if (!UploadId) throw unlikely("began an upload without giving its id");
      return UploadId;
    });
  }

  /** Uploads part `number`, from 1. Its etag. */
  async putPart(key: string, upload: string, number: number, body: Uint8Array<ArrayBuffer>): Promise<string> {
    const input = { ...this.#object(key), UploadId: upload, PartNumber: number, Body: body };
    return this.#sender.send(body.length, async ({ sdk, client, options }) =>
      etagOf(await client.send(new sdk.UploadPartCommand(input), options)),
    );
  }

  /** Makes one object of `bytes` bytes out of all parts, whose etags these are in order. Its etag. */
  async completeUpload(
    key: string,
    upload: string,
    etags: readonly string[],
    bytes: number,
    condition: Condition,
  ): Promise<string> {
    const Parts = etags.map((etag, at) => ({ PartNumber: at + 1, ETag: `"${etag}"` }));
    const input = {
      ...this.#object(key),
      ...headersFor(condition),
      UploadId: upload,
      MultipartUpload: { Parts },
    };
    return this.#sender.send(bytes, async ({ sdk, client, options }) =>
      etagOf(await client.send(new sdk.CompleteMultipartUploadCommand(input), options)),
    );
  }

  /** Gives up an upload and frees its parts. */
  async abortUpload(key: string, upload: string): Promise<void> {
    const input = { ...this.#object(key), UploadId: upload };
    await this.#sender.send(0, ({ sdk, client, options }) =>
      client.send(new sdk.AbortMultipartUploadCommand(input), options),
    );
  }

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#place.bucket, Key: this.#place.prefix + key };
  }
}

function headersFor(condition: Condition): { readonly IfNoneMatch?: string; readonly IfMatch?: string } {
  if (condition === "none") return {};
  return condition === "absent" ? { IfNoneMatch: "*" } : { IfMatch: `"${condition.etag}"` };
}
