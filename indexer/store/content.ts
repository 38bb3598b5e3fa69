import { asLightedgeError } from "../../shared/errors.ts";
import type { WriteStore } from "../../shared/store/store.ts";

/**
 * Writes bytes to a key that stands for just these bytes, where nothing is yet. Whether they were
 * written. A create whose outcome is not known is followed by a plain write: the same bytes twice do no
 * harm, and of plain writes a store may repeat those that fail.
 */
export async function createContent(
  store: WriteStore,
  key: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  try {
    return (await store.putIfAbsent(key, bytes)).kind === "written";
  } catch (error) {
    if (asLightedgeError(error).code !== "store/unavailable") throw error;
    await store.put(key, bytes);
    return true;
  }
}
