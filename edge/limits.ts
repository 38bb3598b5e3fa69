/** Limits that only the HTTP door knows; those of a request itself are in `shared/limits.ts`. */
import { KIB } from "../shared/limits.ts";

/** Limits on what arrives over HTTP; checked before any storage is touched. */
export const HTTP_LIMITS = {
  /** UTF-16 units of a whole URL, the platform's own cap. A longer query fits a POST body. */
  urlUnits: 16 * KIB,
  /** Parameters in a query string: more than any route knows, so that repeats are cheap to refuse. */
  parameters: 32,
} as const;
