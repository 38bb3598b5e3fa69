/** The manifests between two versions of an index, which a region needs so that the version it leaves stays in its chain. */
import { LightedgeError } from "../../shared/errors.ts";
import { loadBlob } from "../../shared/format/load.ts";
import { versionName } from "../../shared/format/names.ts";
import type { StoredPointer } from "../../shared/format/pointer.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { history } from "../../shared/versions/history.ts";

/** Manifests that are carried over at most; a region that far behind is treated as one whose chain is broken. */
const DEEPEST = 1000;

/** The way from one version to an older one. */
export interface Way {
  /** Manifests of the versions between the two, both left out. */
  readonly between: readonly { readonly key: string; readonly body: Uint8Array<ArrayBuffer> }[];
  /** Whether it leads there. Not so where home has let go of versions between. */
  readonly whole: boolean;
}

/**
 * The way from home's version down to `base`, a region's. Throws `store/conflict` where home had another version under
 * that number: the region was published to by itself. Cost: two reads for each version between.
 */
export async function wayDown(
  home: ReadStore,
  index: string,
  from: StoredPointer,
  base: StoredPointer,
): Promise<Way> {
  const between: { readonly key: string; readonly body: Uint8Array<ArrayBuffer> }[] = [];
  const { seq, manifest } = base.pointer;
  for await (const link of history(home, index, from)) {
    if (link.seq === seq) {
      if (link.sha256 === manifest.sha256) return { between, whole: true };
      throw forked(index, versionName(seq, manifest.sha256), link.version);
    }
    if (link.kind !== "version" || between.length === DEEPEST) break;
    if (link.seq === from.pointer.seq) continue;
    between.push({ key: link.key, body: await loadBlob(home, link.reference) });
  }
  return { between, whole: false };
}

/** The error of a region that has a version which home never had. */
export function forked(index: string, regional: string, atHome: string): LightedgeError {
  return new LightedgeError(
    "store/conflict",
    `This region has ${index} ${regional} where home has ${atHome}: somebody published into its store, which only replication may write. If home is right, delete indexes/${index}/current.json there and run it again; blobs that are the same are not copied again.`,
    { field: "index", value: index },
  );
}
