/**
 * Does work for every item, beginning in their order, with at most `atOnce` of it under way. Rejects with the
 * first failure; what the others have begun goes on, and so do the items after it.
 */
export async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const workOn = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, workOn));
}
