/** The order in which one request asks regions. */
import type { RoutedRegion } from "./question.ts";

/** Regions one by one. */
export interface RegionQueue {
  /** The next to be asked; undefined once all have been. */
  next(): RoutedRegion | undefined;
  /** Puts home before all that are left, if it is one of them. */
  homeFirst(): void;
}

/**
 * The regions that `admits` is true of when it is their turn, in their order; then those it was not, the last resort: an answer that is
 * unlikely is better than none.
 */
export function regionQueue(
  regions: readonly RoutedRegion[],
  admits: (region: RoutedRegion) => boolean,
): RegionQueue {
  const waiting = [...regions];
  const avoided: RoutedRegion[] = [];
  return {
    next() {
      for (let region = waiting.shift(); region !== undefined; region = waiting.shift()) {
        if (admits(region)) return region;
        avoided.push(region);
      }
      return avoided.shift();
    },
    homeFirst() {
      for (const list of [waiting, avoided]) {
        const at = list.findIndex(({ home }) => home);
        if (at > 0 || (at === 0 && list === avoided)) waiting.unshift(...list.splice(at, 1));
      }
    },
  };
}
