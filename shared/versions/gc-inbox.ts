import { loadEnvelope } from "../format/load.ts";
import { writeOfKey } from "../format/names.ts";
import { isListedAsFolded, type OverlayFile, readOverlay } from "../format/overlay.ts";
import type { Sha256 } from "../hash.ts";
import type { ReadStore } from "../store/store.ts";
import type { GcFacts, IndexFacts, Stored } from "./gc-facts.ts";
import type { GcPlan } from "./gc-plan.ts";

/**
 * Entries of inboxes that may be deleted: old ones that every version that stays has taken in, so that
 * none of them, should an index be rolled back to it, misses a write. Cost: one read for each
 * overlay, of indexes with old entries only.
 */
export async function foldedEntries(
  store: ReadStore,
  facts: GcFacts,
  plan: Pick<GcPlan, "retained" | "isOld">,
): Promise<readonly Stored[]> {
  const found: Stored[] = [];
  for (const index of facts.indexes) {
    const old = index.inbox.filter(plan.isOld);
    if (old.length === 0) continue;
    const overlays = await overlaysOf(store, index, plan.retained.get(index.name)!);
    if (overlays === null) continue;
    found.push(
      ...old.filter(({ key }) => {
        const write = writeOfKey(index.name, key);
        return write !== null && overlays.every((overlay) => isListedAsFolded(overlay, write));
      }),
    );
  }
  return found;
}

/** The overlays of all versions that stay; null where one has none, cannot be read, or nothing stays. */
async function overlaysOf(
  store: ReadStore,
  index: IndexFacts,
  retained: ReadonlySet<Sha256>,
): Promise<readonly OverlayFile[] | null> {
  const overlays = new Map<string, OverlayFile>();
  for (const sha256 of retained) {
    const { content } = index.manifests.get(sha256)!;
    if (content.kind !== "read" || content.overlay === null) return null;
    const { overlay } = content;
    if (overlays.has(overlay.key)) continue;
    try {
      overlays.set(overlay.key, readOverlay(await loadEnvelope(store, overlay)));
    } catch {
      // Entries that are not certain to be taken in stay.
      return null;
    }
  }
  return overlays.size === 0 ? null : [...overlays.values()];
}
