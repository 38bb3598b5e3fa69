/** What a region's current version of an index is, known without loading it. */
import { readCurrent } from "../../shared/engine/open.ts";
import { placementOf } from "../../shared/engine/placement.ts";
import { asLightedgeError, type LightedgeError } from "../../shared/errors.ts";
import { loadManifest } from "../../shared/format/load.ts";
import type { Manifest } from "../../shared/format/manifest.ts";
import { versionName } from "../../shared/format/names.ts";
import type { Placement } from "../../shared/types.ts";
import { keyOf } from "./key.ts";
import type { RegionStore } from "./stores.ts";

/** A version before it is loaded. */
export interface Plan {
  readonly version: string;
  readonly seq: number;
  readonly manifest: Manifest;
  readonly placement: Placement;
}

/** A look at an index in a region: what was found or why not, and how long its pointer took, in ms. */
export interface Look {
  readonly ms: number;
  readonly found: Plan | LightedgeError;
}

/** What looking needs. */
export interface PlanPorts {
  /** Bytes for all indexes of an isolate, and whether there are objects for shards: what decides where they are kept. */
  readonly budgetBytes: number;
  readonly objects: boolean;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Milliseconds for which a look is good: whoever asks more often is told the same again. */
const GOOD_MS = 1000;
/** Looks and manifests that are remembered. */
const MOST = { looks: 512, manifests: 64 } as const;

/** Looks at pointers, each good for a second, and the manifests they name, which never change. */
export class Plans {
  readonly #ports: PlanPorts;
  readonly #looks = new Map<string, Look & { readonly at: number }>();
  readonly #manifests = new Map<string, Manifest>();

  constructor(ports: PlanPorts) {
    this.#ports = ports;
  }

  /** Looks at the index's pointer, and at its manifest where that is new. Never rejects. Cost: one read, or two. */
  async look(region: Pick<RegionStore, "name" | "store">, index: string): Promise<Look> {
    const { now } = this.#ports;
    const key = keyOf(region.name, index);
    const before = this.#looks.get(key);
    const at = now();
    if (before !== undefined && at - before.at < GOOD_MS) return before;
    let pointerAt = at;
    let found: Look["found"];
    try {
      const { seq, manifest: reference } = await readCurrent(region.store, index);
      pointerAt = now();
      const known = this.#manifests.get(reference.sha256);
      const manifest = known ?? (await loadManifest(region.store, reference));
      keep(this.#manifests, reference.sha256, manifest, MOST.manifests);
      const placement = placementOf(manifest, this.#ports);
      found = { version: versionName(seq, reference.sha256), seq, manifest, placement };
    } catch (error) {
      found = asLightedgeError(error);
    }
    const look = { at, ms: Math.max(pointerAt, at) - at, found };
    keep(this.#looks, key, look, MOST.looks);
    return look;
  }
}

/** Sets an entry as the newest, and drops the oldest beyond this many. */
function keep<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}
