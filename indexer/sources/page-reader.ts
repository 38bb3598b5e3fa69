import { Worker } from "node:worker_threads";
import { LightedgeError } from "../../shared/errors.ts";
import type { Page } from "./page-text.ts";
import { invalid } from "./validate.ts";

/** The kinds of pages. */
export type PageKind = "markdown" | "html";

/** What the thread is asked: one page at a time. */
export interface PageRequest {
  readonly kind: PageKind;
  readonly text: string;
}

/** What the thread answers: the page, or why there is none and the line at fault (1 if unknown). */
export type PageReply = { readonly page: Page } | { readonly message: string; readonly line: number };

/** Milliseconds for one page. A megabyte of honest markup takes about one second. */
const DEADLINE_MS = 15_000;
/** MiB of heap for the thread; misnested markup can make a parser multiply elements until memory is gone. */
const HEAP_MIB = 512;

/**
 * Parses pages in a thread of its own, which is ended and replaced when a page takes
 * longer than the deadline or more memory than it has. About 100 ms for each new
 * thread. One page at a time.
 */
export class PageReader {
  #worker: Worker | undefined;
  readonly #deadlineMs: number;

  constructor(deadlineMs = DEADLINE_MS) {
    this.#deadlineMs = deadlineMs;
  }

  /** The page in this text. Throws `source/invalid`, with the line where it is known, for one that cannot be read. */
  async read(request: PageRequest): Promise<Page> {
    this.#worker ??= new Worker(new URL("./page-worker.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    const reply = await this.#ask(this.#worker, request);
    if ("page" in reply) return reply.page;
    throw new LightedgeError("source/invalid", reply.message, { line: reply.line });
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #ask(worker: Worker, request: PageRequest): Promise<PageReply> {
    const { promise, resolve, reject } = Promise.withResolvers<PageReply>();
    const seconds = this.#deadlineMs / 1000;
    const late = (): void => reject(invalid(`The page could not be parsed within ${seconds} s.`));
    const failed = (error: Error): void => reject(invalid(`The page could not be parsed: ${error.message}`));
    // If this thread itself was busy, the answer may be waiting behind the timer: let it in first.
    const timer = setTimeout(() => setImmediate(late), this.#deadlineMs);
    worker.once("message", resolve).once("error", failed);
    worker.postMessage(request);
    try {
      return await promise;
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      clearTimeout(timer);
      worker.off("message", resolve).off("error", failed);
    }
  }
}
