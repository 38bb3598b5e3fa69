/** A home store and a region's, on one clock that the test moves, and what must hold of the two at any moment. */
import { expect } from "vitest";
import type { Verify } from "../../indexer/regions/copy-blobs.ts";
import { type Replicated, replicate } from "../../indexer/regions/replicate.ts";
import { collectGarbage, type GcOptions, type GcReport } from "../../indexer/store/gc.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import type { ReadStore, WriteStore } from "../../shared/store/store.ts";
import { readPointer } from "../../shared/versions/current.ts";
import { history } from "../../shared/versions/history.ts";
import { audit, GRACE, keyOf, textsOf, VersionsWorld } from "./versions.ts";

/** Two stores. `store` is the region's, since that is where work breaks. */
export class RegionWorld {
  readonly home = new VersionsWorld();
  readonly store = new MemoryStore(() => this.home.now);

  /** Brings the region to home's version. */
  replicate(store: WriteStore = this.store, verify: Verify = "new", home: ReadStore = this.home.store) {
    return replicate({ home, region: store, index: "docs", verify }, this.home.ports);
  }

  /** The texts of the region's version, every byte checked; null where it has none. */
  async texts(): Promise<readonly string[] | null> {
    for await (const link of history(this.store, "docs")) {
      if (link.kind !== "version") throw new Error(`${link.version} is ${link.kind}.`);
      return textsOf(this.store, link.manifest);
    }
    return null;
  }

  /** The number of the region's version, 0 for none. */
  async seq(): Promise<number> {
    return (await readPointer(this.store, "docs"))?.pointer.seq ?? 0;
  }

  /** Whether the region has the blob of this text. */
  async hasText(text: string): Promise<boolean> {
    return (await this.store.head(await keyOf(text))) !== null;
  }

  /** Collects in the region. */
  collect(options: Partial<GcOptions> = {}, store: WriteStore = this.store): Promise<GcReport> {
    return collectGarbage(store, { graceMs: GRACE, keep: 1, ...options }, this.home.gcPorts);
  }

  /** Expects that the region is whole to the bit, and is what home is or was. */
  async expectSound(where: string, allowed: readonly (readonly string[] | null)[]): Promise<void> {
    expect(await audit(this.store), where).toEqual([]);
    expect(allowed, where).toContainEqual(await this.texts());
  }

  /** Expects that the region has home's version. */
  async expectSame(where: string): Promise<void> {
    const [home, region] = [
      await readPointer(this.home.store, "docs"),
      await readPointer(this.store, "docs"),
    ];
    const { commit_id: _, check: __, ...wanted } = home!.pointer;
    expect(region?.pointer, where).toMatchObject(wanted);
    await this.expectSound(where, [await this.home.texts()]);
  }
}

/** What a replication did, in short. */
export function shortly({ moved, copied, repaired, version }: Replicated): string {
  return `${version.split("-")[0]} ${moved ? "moved" : "kept"}, ${copied} copied, ${repaired} repaired`;
}
