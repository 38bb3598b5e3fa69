/**
 * The times that writers and garbage collection agree on, all in ms and all by the store's clock but
 * for the two that say so. Decision 0011 has the argument they belong to.
 */

const MINUTE = 60_000;

/** Age up to which an object counts as just written: it may belong to a run that is under way. */
export const FRESH_MS = 15 * MINUTE;

/**
 * How long a collection may go on deleting after it has begun to write its clock, by its own clock; and how
 * long a delete that was sent may take to land, the one thing here that is taken for granted.
 */
export const SWEEP_WINDOW_MS = 2 * MINUTE;

/** How long a writer waits for a collection that may still be deleting, by its own clock. */
export const SWEEP_OVER_MS = 2 * SWEEP_WINDOW_MS;

/** How long a version stands after it was replaced, for those who still read it. */
export const GRACE_MS = { standard: 24 * 60 * MINUTE, least: 30 * MINUTE } as const;

/** Newest versions of an index that stand whatever their age. */
export const KEEP = 3;
