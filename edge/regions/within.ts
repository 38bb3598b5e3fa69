/** Waiting that ends. */

/** What tells the time of a wait. */
export interface Pauser {
  /** Is kept after this many ms, or at once when the signal is given. */
  pause(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/**
 * What the work comes to, if it does within this time; without end where that is null. Throws what `late` makes if not,
 * and the work goes on unheard.
 */
export async function within<T>(
  { pause }: Pauser,
  milliseconds: number | null,
  work: Promise<T>,
  late: () => Error,
): Promise<T> {
  if (milliseconds === null) return work;
  const over = new AbortController();
  const end = pause(milliseconds, over.signal).then(() => {
    throw late();
  });
  // Nobody listens any more once the race is over.
  for (const each of [work, end]) each.catch(() => undefined);
  try {
    return await Promise.race([work, end]);
  } finally {
    over.abort();
  }
}
