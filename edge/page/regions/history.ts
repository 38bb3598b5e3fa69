/** The requests of the last minute: who answered each, how long it took, and how the strips are drawn from it. */

/** What became of one request. */
export interface Sent {
  /** When it was sent, in ms from any fixed point. */
  readonly at: number;
  /** The region that answered, or null where none did. */
  readonly region: string | null;
  /** Round trip in ms. */
  readonly ms: number;
}

/** Milliseconds that are shown. */
export const SPAN_MS = 60_000;
/** Units of a strip: its width, and its height, which `SLOWEST_MS` takes up. */
export const STRIP = { width: 600, height: 28 } as const;

/** A round trip this long, or longer, fills the height; logarithmic, so that 2 ms and 200 can both be read. */
const SLOWEST_MS = 1000;
const LEAST_HEIGHT = 3;

/** Requests of the last minute, and counts of all. */
export class History {
  readonly #answered = new Map<string, number>();
  #sent: Sent[] = [];
  #total = 0;
  #failed = 0;

  /** Notes a request that is over. */
  add(sent: Sent): void {
    this.#total++;
    if (sent.region === null) this.#failed++;
    else this.#answered.set(sent.region, (this.#answered.get(sent.region) ?? 0) + 1);
    this.#sent = [...this.#sent.filter(({ at }) => sent.at - at < SPAN_MS), sent];
  }

  /** Requests since the page was opened, and how many of them nobody answered. */
  get counts(): { readonly total: number; readonly failed: number } {
    return { total: this.#total, failed: this.#failed };
  }

  /** Requests that this region answered since the page was opened. */
  answeredBy(region: string): number {
    return this.#answered.get(region) ?? 0;
  }

  /** The region of the newest answer, undefined before the first. */
  get answering(): string | undefined {
    return this.#sent.findLast(({ region }) => region !== null)?.region ?? undefined;
  }

  /** Half of this region's answers of the last minute came within these ms; undefined where there were none. */
  medianMs(region: string): number | undefined {
    const times = this.#sent.filter((sent) => sent.region === region).map(({ ms }) => ms);
    return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
  }

  /** The strip of a region, or of failures (null), as the path of an SVG: a stroke for each request, now at the right. */
  strip(region: string | null, now: number): string {
    const shown = this.#sent.filter((sent) => sent.region === region && now - sent.at < SPAN_MS);
    return shown.map((sent) => stroke(sent, now)).join("");
  }
}

function stroke({ at, ms }: Sent, now: number): string {
  const x = STRIP.width * (1 - Math.max(0, now - at) / SPAN_MS);
  const share = Math.log(Math.max(1, ms)) / Math.log(SLOWEST_MS);
  const height = Math.min(STRIP.height, LEAST_HEIGHT + share * (STRIP.height - LEAST_HEIGHT));
  return `M${x.toFixed(1)} ${STRIP.height}V${(STRIP.height - height).toFixed(1)}`;
}
