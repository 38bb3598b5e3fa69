/** What the page asks of the server, and orders where the server takes orders. */
import type { RegionsReport } from "../../../shared/regions/report.ts";
import type { SearchAnswer } from "../../../shared/types.ts";

/** What is wrong with a region because somebody ordered it. */
export interface OrderedFaults {
  readonly cut: "refuse" | "hang" | null;
  readonly slow_ms: number;
}

/** Faults by region. */
export type FaultsByRegion = Readonly<Record<string, OrderedFaults>>;

/** An order to the control of a local server. */
export interface FaultOrder {
  readonly region: string;
  readonly cut?: "refuse" | null;
  readonly slow_ms?: number;
  readonly evict?: true;
}

/** Milliseconds after which a request counts as failed: nobody looks at an empty page for longer. */
const PATIENCE_MS = 15_000;

/** The server, asked from a place: that of the browser, or one chosen where the server imitates places. */
export class RegionsApi {
  /** Name of the region that requests come from; undefined for where they do come from. */
  from: string | undefined;
  /** Where faults are ordered; undefined where none are taken, as in every deployment. */
  faultsPath: string | undefined;

  /** The regions as they are now. Throws an Error whose message is for people. */
  async report(): Promise<RegionsReport> {
    const response = await this.#ask("/v1/regions");
    this.faultsPath = response.headers.get("x-lightedge-faults") ?? undefined;
    // Safe as far as the server keeps /openapi.json; strings are shown as text whatever they hold.
    return (await bodyOf(response)) as RegionsReport;
  }

  /** One search; the best hit is enough. Throws as `report`. */
  async search(index: string, q: string): Promise<SearchAnswer> {
    const query = new URLSearchParams({ q: q.toWellFormed(), limit: "1" });
    const path = `/v1/indexes/${encodeURIComponent(index)}/search?${query}`;
    return (await bodyOf(await this.#ask(path))) as SearchAnswer;
  }

  /** The faults that are ordered now; none where none can be. */
  async faults(): Promise<FaultsByRegion> {
    if (this.faultsPath === undefined) return {};
    return regionsOf(await bodyOf(await this.#ask(this.faultsPath)));
  }

  /** Orders a fault. Gives all as they are then. */
  async order(order: FaultOrder): Promise<FaultsByRegion> {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(order) };
    return regionsOf(await bodyOf(await this.#ask(this.faultsPath ?? "", init)));
  }

  async #ask(
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Response> {
    const place: Record<string, string> = this.from === undefined ? {} : { "x-lightedge-from": this.from };
    const answer = fetch(path, {
      ...init,
      // Of requests for one address a browser sends the next when it knows that it cannot keep the last.
      cache: "no-store",
      headers: { accept: "application/json", ...place, ...init.headers },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return answer.catch((cause: unknown) => {
      const late = cause instanceof DOMException && cause.name === "TimeoutError";
      throw new Error(late ? "The server did not answer in time." : "The server cannot be reached.", {
        cause,
      });
    });
  }
}

function regionsOf(body: unknown): FaultsByRegion {
  // Safe: the control of local serving, which came with this page.
  return (body as { readonly regions: FaultsByRegion }).regions;
}

/** The JSON of an answer. Throws an Error with the server's own words where it refuses. */
async function bodyOf(response: Response): Promise<unknown> {
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body;
  const error = typeof body === "object" && body !== null && "error" in body ? body.error : undefined;
  const message =
    typeof error === "object" && error !== null && "message" in error && typeof error.message === "string"
      ? error.message
      : `The server answered with status ${response.status}.`;
  throw new Error(message);
}
