/** The thread that takes pages apart, so that a page no parser can finish stops this thread and not the indexer. */
import { parentPort } from "node:worker_threads";
import { LightedgeError } from "../../shared/errors.ts";
import { readHtml } from "./html.ts";
import { readMarkdown } from "./markdown.ts";
import type { PageReply, PageRequest } from "./page-reader.ts";

parentPort?.on("message", (request: PageRequest) => {
  parentPort?.postMessage(reply(request));
});

function reply({ kind, text }: PageRequest): PageReply {
  try {
    return { page: kind === "html" ? readHtml(text) : readMarkdown(text) };
  } catch (error) {
    const line = error instanceof LightedgeError ? (error.details.line ?? 1) : 1;
    return { message: error instanceof Error ? error.message : String(error), line };
  }
}
