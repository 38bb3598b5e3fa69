/** Which writes a version holds, by the overlay alone. */
import type { InboxEntry } from "../format/inbox.ts";
import { isListedAsFolded, type OverlayFile, overlayEntry } from "../format/overlay.ts";

/**
 * Whether folding would leave this entry out: the version has it, or a later write of its document.
 * `overlay` is null for a version that nobody wrote to. Cost: two searches by halves.
 */
export function isHeld(overlay: OverlayFile | null, { id, write }: InboxEntry): boolean {
  if (overlay === null) return false;
  if (isListedAsFolded(overlay, write)) return true;
  const watermark = overlayEntry(overlay, id)?.write;
  return watermark !== undefined && write <= watermark;
}
