/** A colour for each region, the same wherever it is shown. */
import { REGION_NAMES } from "../../../shared/regions/region.ts";

/** The region's colour as CSS: `regions.css` has one for each place in the list of names, for light and dark. */
export function colorOf(region: string): string {
  const at = (REGION_NAMES as readonly string[]).indexOf(region);
  return at < 0 ? "var(--accent)" : `var(--region-${at})`;
}
