/** Going back to an older version: a new version with its content, committed like any other. */
import { LightedgeError } from "../../shared/errors.ts";
import type { Manifest } from "../../shared/format/manifest.ts";
import { versionName } from "../../shared/format/names.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { readExisting } from "../../shared/versions/current.ts";
import type { Version } from "../../shared/versions/history.ts";
import { PUBLISH_PORTS, type PublishPorts } from "./publish.ts";
import { commitManifest, type Published, readBase, sameContent } from "./publish-version.ts";
import { findVersion, listed, listVersions, lookOnce } from "./versions.ts";

/** What became of a rollback: as of a publication, unchanged where the current version had that content already. */
export interface RolledBack extends Published {
  /** The version whose content is current now. */
  readonly contentOf: string;
}

/**
 * Makes the content of an older version current again, as a new version. Run twice it does nothing the
 * second time. Throws `index/not-found`, `version/not-found` where the version is not there or not all of
 * it, and what `publishVersion` throws. Cost: a read and a write of every blob that the current version does not name.
 */
export async function rollback(
  store: WriteStore,
  index: string,
  wanted: string,
  now: Date,
  ports: PublishPorts = PUBLISH_PORTS,
): Promise<RolledBack> {
  const stored = await readExisting(store, index);
  const target = await findVersion(store, index, wanted, stored);
  const current = await readBase(store, stored);
  const contentOf = target.version;
  if (current !== null && sameContent(target.manifest, current)) {
    const { seq, manifest } = stored.pointer;
    const version = versionName(seq, manifest.sha256);
    return { version, contentOf, changed: false, refreshed: 0, manifest: current };
  }
  const isThere = lookOnce(store);
  for (const blob of target.manifest.blobs)
    if (!(await isThere(blob))) throw await collected(store, index, target, blob.key);
  const parent = stored.pointer.manifest.sha256;
  const manifest: Manifest = { ...target.manifest, created: now.toISOString(), parent };
  try {
    return { ...(await commitManifest(store, manifest, stored, current, ports)), contentOf };
  } catch (error) {
    // Taken between the look and the commit.
    if (error instanceof LightedgeError && error.code === "blob/missing")
      throw await collected(store, index, target, error.details.blob!, error);
    throw error;
  }
}

async function collected(
  store: WriteStore,
  index: string,
  { version }: Version,
  key: string,
  cause?: unknown,
): Promise<LightedgeError> {
  const { versions } = await listVersions(store, index);
  const whole = versions.filter((row) => row.whole).map((row) => row.version);
  return new LightedgeError(
    "version/not-found",
    `${index} ${version} was collected in part: ${key} is gone. Nothing was changed. Whole versions are ${listed(whole)}.`,
    { field: "version", value: version, blob: key },
    cause,
  );
}
