import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { LightedgeError, printable } from "../../shared/errors.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { FolderStore } from "./folder.ts";
import { S3Store } from "./s3.ts";
import { type Environment, s3LocationOf } from "./s3-location.ts";

/**
 * The store at a URL. `file:PATH` is a folder, relative to the working folder unless it
 * begins with a slash, and taken literally; `file:///PATH` is a URL with the usual
 * escapes. `s3://` and `r2://` are buckets, as `s3LocationOf` has them. Nothing is read, made or
 * sent yet. Throws `usage/invalid` for anything else.
 */
export function openStore(url: string, environment: Environment = process.env): WriteStore {
  if (url.startsWith("s3:") || url.startsWith("r2:")) return new S3Store(s3LocationOf(url, environment));
  return new FolderStore(folderOf(url));
}

function folderOf(url: string): string {
  if (url.startsWith("file://")) {
    try {
      return fileURLToPath(url);
    } catch (error) {
      throw refused(url, "A file URL is file:///PATH, without a host.", error);
    }
  }
  const path = url.startsWith("file:") ? url.slice("file:".length) : "";
  if (path === "" || path.includes("\0")) {
    throw refused(url, "Use file:PATH, such as file:.lightedge, or s3://BUCKET or r2://BUCKET.");
  }
  return resolve(path);
}

function refused(url: string, remedy: string, cause?: unknown): LightedgeError {
  const details = { field: "store", value: printable(url) };
  const message = `Cannot open the store ${printable(url)}. ${remedy}`;
  return new LightedgeError("usage/invalid", message, details, cause);
}
