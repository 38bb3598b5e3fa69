import { LightedgeError, printable } from "../errors.ts";
import type { Manifest } from "../format/manifest.ts";

/**
 * The fields of a manifest that name no object. A new field stops this file from compiling until
 * somebody has decided whether it does: garbage collection deletes what is named by nothing.
 */
const NAMELESS = {
  format: true,
  index: true,
  created: true,
  parent: true,
  model: true,
  binding: true,
  tasks: true,
  fusion: true,
  counts: true,
  fields: true,
  build: true,
} as const satisfies Record<Exclude<keyof Manifest, "blobs">, true>;

/** Keys of all objects that a version needs, its manifest's own aside. Throws `format/unsupported` for a field that is new here. */
export function keysOf(manifest: Manifest): readonly string[] {
  const strange = Object.keys(manifest).find((field) => field !== "blobs" && !(field in NAMELESS));
  if (strange === undefined) return manifest.blobs.map(({ key }) => key);
  throw new LightedgeError(
    "format/unsupported",
    `A manifest has the field ${printable(strange)}, which may name objects.`,
    {
      field: strange,
    },
  );
}
