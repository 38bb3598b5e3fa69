/** What a deployment sets: bindings and variables, and the variables read. */
import { isIndexName } from "../shared/format/names.ts";
import { KIB, MEMORY_LIMITS, MIB } from "../shared/limits.ts";
import { GRACE_MS } from "../shared/versions/times.ts";

/** What wrangler.toml, or local serving, binds. Every variable is text and may be absent. */
export interface Env {
  readonly BUCKET?: R2Bucket;
  /** A service that answers for any other store; it wins over the bucket. Local serving binds it. */
  readonly STORE?: Fetcher;
  /** Durable Objects that hold shards of indexes too large for an isolate. Without them such indexes are refused. */
  readonly SHARDS?: DurableObjectNamespace;
  /** Name of this region as it stands in answers, where there is but one. */
  readonly REGION?: string;
  /** Regions of the deployment, home first: `weur,enam`. Each has its store as `BUCKET_WEUR`, or as the service `STORE_WEUR`. */
  readonly REGIONS?: string;
  /** How long a request looks for a region that answers: `4s` when absent, without end where there is but one region. */
  readonly QUERY_DEADLINE?: string;
  /** How long a loaded version is served while its pointer cannot be read, `1h` when absent. */
  readonly MAX_STALE?: string;
  /** Anything where the header `x-lightedge-from` is believed: tests and local serving, never a deployment. */
  readonly TEST_LOCATION?: string;
  /** Indexes that the page offers and the Cron Trigger checks, separated by commas, the default first. */
  readonly INDEXES?: string;
  /** Queries that the page suggests, separated by `|`. */
  readonly EXAMPLES?: string;
  /** Seconds for which a pointer and an inbox are believed, 10 when absent. */
  readonly POINTER_MAX_AGE?: string;
  /** Bytes for the indexes of an isolate; `MEMORY_LIMITS.residentBytes` when absent. */
  readonly RESIDENT_BYTES?: string;
  /** `*`, or the origins whose pages may read answers, separated by commas. */
  readonly CORS_ORIGIN?: string;
  /** Secret that writes need. Without it none are taken. */
  readonly ADMIN_KEY?: string;
  /** `read` where another Worker takes writes to the same bucket: this one then looks for them too. */
  readonly INBOX?: string;
  /** The age that each index is promised to stay below: `docs=24h,blog=7d`, in s, m, h or d. */
  readonly INDEX_MAX_AGE?: string;
  /** How long versions stand after they were replaced, `24h` when absent; `off` leaves collecting to the command line. */
  readonly GC_GRACE?: string;
  /** Where alarms are sent, an https address, and the secret they are signed with. */
  readonly ALARM_WEBHOOK?: string;
  readonly ALARM_SECRET?: string;
}

/** The parts of a list with this separator, trimmed; empty ones are none. */
export function splitList(value: string | undefined, separator: string): readonly string[] {
  const parts = (value ?? "").split(separator).map((part) => part.trim());
  return parts.filter((part) => part !== "");
}

/** A variable in seconds, 0 allowed. A value that is no number would silently mean "never look again". */
export function pointerMaxAge(value: string | undefined): number {
  if (value === undefined || value === "") return 10;
  const parsed = Number(value);
  if (parsed >= 0 && Number.isFinite(parsed)) return parsed;
  throw new Error("POINTER_MAX_AGE must be a number of seconds.");
}

/** Bytes for the indexes of an isolate. A Worker has 128 MiB for everything, so that much is no budget. */
export function residentBudget(value: string | undefined): number {
  if (value === undefined || value === "") return MEMORY_LIMITS.residentBytes;
  const bytes = /^\d{1,12}$/.test(value) ? Number(value) : 0;
  if (bytes >= LEAST_RESIDENT_BYTES && bytes <= MOST_RESIDENT_BYTES) return bytes;
  throw new Error(
    `RESIDENT_BYTES must be a number of bytes from ${LEAST_RESIDENT_BYTES} to ${MOST_RESIDENT_BYTES}.`,
  );
}

/** Whether the inbox is looked at: where this Worker takes writes, or is told that another does. */
export function readsInbox({ ADMIN_KEY, INBOX }: Env): boolean {
  if (INBOX === undefined || INBOX === "") return ADMIN_KEY !== undefined && ADMIN_KEY !== "";
  if (INBOX === "read") return true;
  throw new Error('INBOX must be "read" or absent.');
}

/** Enough for the table of a toy, and where the platform would end the isolate. */
const LEAST_RESIDENT_BYTES = 64 * KIB;
const MOST_RESIDENT_BYTES = 128 * MIB;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
/** A caller has given up by then. */
const MOST_DEADLINE_MS = 60_000;
const DURATION = /^(\d{1,9})\s*([smhd])$/;

/** A duration such as 90s, 15m, 24h or 7d in seconds, NaN for another text. */
function seconds(text: string): number {
  const [, count, unit] = DURATION.exec(text) ?? [];
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}

/** The deadline of a request in ms, of this many regions; null for none. */
export function queryDeadline(value: string | undefined, regions: number): number | null {
  if (value === undefined || value === "") return regions > 1 ? 4000 : null;
  const deadline = seconds(value) * 1000;
  if (deadline > 0 && deadline <= MOST_DEADLINE_MS) return deadline;
  throw new Error(`QUERY_DEADLINE must be 1s to ${MOST_DEADLINE_MS / 1000}s, such as 4s.`);
}

/** How long a version is served unproven, in ms. */
export function maxStale(value: string | undefined): number {
  if (value === undefined || value === "") return SECONDS.h * 1000;
  const most = seconds(value) * 1000;
  if (most > 0) return most;
  throw new Error("MAX_STALE must be a time such as 10m, 1h or 7d.");
}

/** The grace of garbage collection in ms, or null where the Worker collects none. */
export function gcGrace(value: string | undefined): number | null {
  if (value === "off") return null;
  if (value === undefined || value === "") return GRACE_MS.standard;
  const grace = seconds(value) * 1000;
  if (grace >= GRACE_MS.least) return grace;
  throw new Error(`GC_GRACE must be off, or ${GRACE_MS.least / 60_000}m or more, such as 24h.`);
}

/** The age that each index is promised to stay below, in seconds. Throws an Error that repeats the part at fault. */
export function maxAges(value: string | undefined): ReadonlyMap<string, number> {
  const ages = new Map<string, number>();
  for (const part of splitList(value, ",")) {
    const [index = "", age = "", ...rest] = part.split("=").map((side) => side.trim());
    if (rest.length > 0 || !isIndexName(index) || !(seconds(age) > 0) || ages.has(index))
      throw new Error(`INDEX_MAX_AGE must be like docs=24h,blog=7d, each index once; "${part}" is not.`);
    ages.set(index, seconds(age));
  }
  return ages;
}
