import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { LightedgeError, printable } from "../../shared/errors.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { FolderStore } from "./folder.ts";

/** Stores that the design names and this version cannot open. */
const PLANNED = ["r2:", "s3:"];

/**
 * The store at a URL. `file:PATH` is a folder, relative to the working folder unless it
 * begins with a slash, and taken literally; `file:///PATH` is a URL with the usual
 * escapes. Nothing is read or made yet. Throws `usage/invalid` for anything else.
 */
export function openStore(url: string): WriteStore {
  return new FolderStore(folderOf(url));
}

function folderOf(url: string): string {
  if (PLANNED.some((scheme) => url.startsWith(scheme))) {
    throw refused(
      url,
      "This version opens file:PATH only; r2://BUCKET and s3://BUCKET?endpoint=...&region=... are planned.",
    );
  }
  if (url.startsWith("file://")) {
    try {
      return fileURLToPath(url);
    } catch (error) {
      throw refused(url, "A file URL is file:///PATH, without a host.", error);
    }
  }
  const path = url.startsWith("file:") ? url.slice("file:".length) : "";
  if (path === "" || path.includes("\0")) throw refused(url, "Use file:PATH, such as file:.lightedge.");
  return resolve(path);
}

function refused(url: string, remedy: string, cause?: unknown): LightedgeError {
  const details = { field: "store", value: printable(url) };
  return new LightedgeError(
    "usage/invalid",
    `Cannot open the store ${printable(url)}. ${remedy}`,
    details,
    cause,
  );
}
