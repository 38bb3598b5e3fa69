/** Faults on demand: what is wrong with each region of a local server, and how long the way to it takes. */
import { LightedgeError, printable } from "../../shared/errors.ts";

/** How a region that is cut behaves: it refuses at once, or never answers until it is healed. */
export type Cut = "refuse" | "hang";

/** What is wrong with one region. All of a healthy one is null or 0. */
export interface RegionFaults {
  /** Its store and its shard objects cannot be reached. */
  readonly cut: Cut | null;
  /** Milliseconds that each read of its store and each call of its objects takes longer. */
  readonly slow_ms: number;
  /** Share of reads of its store that fail, 0 to 1. */
  readonly store_error_rate: number;
}

/** What the control is told. All that is absent stays as it is. */
export interface FaultOrder {
  /** The region that the rest is about; all of them where it is absent. */
  readonly region?: string;
  readonly faults: Partial<RegionFaults>;
  /** Everything is made healthy first. */
  readonly heal: boolean;
  /** Shard objects are dropped from memory; their storage stays. */
  readonly evict: boolean;
  /** workerd is killed and started again: all memory is lost, storage stays. */
  readonly restart: boolean;
}

/** Longest added delay. Nobody waits longer, and neither does the Worker. */
export const MOST_SLOW_MS = 60_000;

const HEALTHY: RegionFaults = { cut: null, slow_ms: 0, store_error_rate: 0 };
const FIELDS = ["region", "cut", "slow_ms", "store_error_rate", "heal", "evict", "restart"] as const;

/** The faults of a server's regions as they are now. */
export class FaultBoard {
  readonly #faults: Map<string, RegionFaults>;
  readonly #distance: (from: string, to: string) => number;
  readonly #healed = new Map<string, (() => void)[]>();

  /** `distance` gives the round trip between two of these regions in ms. */
  constructor(regions: readonly string[], distance: (from: string, to: string) => number) {
    this.#faults = new Map(regions.map((region) => [region, HEALTHY]));
    this.#distance = distance;
  }

  /** What is wrong, by region. */
  get regions(): Readonly<Record<string, RegionFaults>> {
    return Object.fromEntries(this.#faults);
  }

  /** What is wrong with this region. */
  of(region: string): RegionFaults {
    return this.#faults.get(region) ?? HEALTHY;
  }

  /** Milliseconds that something asked of `to` from `from` takes on its way. */
  wayMs(from: string, to: string): number {
    return this.#distance(from, to) + this.of(to).slow_ms;
  }

  /** What the link worker has to know: see `inside/link.ts`. */
  get ways(): { readonly ms: Record<string, number>; readonly cut: Record<string, Cut | null> } {
    const names = [...this.#faults.keys()];
    const pairs = names.flatMap((from) => names.map((to) => [from, to] as const));
    return {
      ms: Object.fromEntries(pairs.map(([from, to]) => [`${from}>${to}`, this.wayMs(from, to)])),
      cut: Object.fromEntries(names.map((name) => [name, this.of(name).cut])),
    };
  }

  /** Carries out what an order says of regions; evicting and restarting are for the caller. */
  apply({ region, faults, heal }: FaultOrder): void {
    const meant = region === undefined ? [...this.#faults.keys()] : [region];
    for (const name of meant) {
      const next = { ...(heal ? HEALTHY : this.of(name)), ...faults };
      this.#faults.set(name, next);
      if (next.cut === "hang") continue;
      for (const go of this.#healed.get(name) ?? []) go();
      this.#healed.delete(name);
    }
  }

  /** Resolves when the region does not hang any more: at once where it does not now. */
  untilAnswering(region: string): Promise<void> {
    if (this.of(region).cut !== "hang") return Promise.resolve();
    return new Promise((resolve) => {
      this.#healed.set(region, [...(this.#healed.get(region) ?? []), resolve]);
    });
  }
}

/** An order from untrusted JSON. Throws `request/invalid` naming field, value and limit. */
export function faultOrderOf(value: unknown, regions: readonly string[]): FaultOrder {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refused("body", value, "a JSON object");
  const given = new Map(Object.entries(value));
  const unknown = [...given.keys()].find((name) => !(FIELDS as readonly string[]).includes(name));
  if (unknown !== undefined) throw refused("body", unknown, `an object of ${FIELDS.join(", ")}`);
  if (given.size === 0) throw refused("body", "{}", `an object of one or more of ${FIELDS.join(", ")}`);
  const region = given.get("region");
  if (region !== undefined && !(typeof region === "string" && regions.includes(region)))
    throw refused("region", region, `one of ${regions.join(", ")}`);
  const cut = given.get("cut");
  if (![undefined, null, "refuse", "hang"].some((allowed) => allowed === cut))
    throw refused("cut", cut, '"refuse", "hang" or null');
  const slow = numberOf(given, "slow_ms", MOST_SLOW_MS);
  const rate = numberOf(given, "store_error_rate", 1);
  const order: FaultOrder = {
    ...(region === undefined ? {} : { region: String(region) }),
    faults: {
      ...(cut === undefined ? {} : { cut: cut as Cut | null }),
      ...(slow === undefined ? {} : { slow_ms: slow }),
      ...(rate === undefined ? {} : { store_error_rate: rate }),
    },
    heal: isTrue(given, "heal"),
    evict: isTrue(given, "evict"),
    restart: isTrue(given, "restart"),
  };
  if (Object.keys(order.faults).length === 0 && !order.heal && !order.evict && !order.restart)
    throw refused(
      "body",
      "an order that changes nothing",
      `an object with one or more of ${FIELDS.slice(1).join(", ")}`,
    );
  return order;
}

function numberOf(given: ReadonlyMap<string, unknown>, field: string, most: number): number | undefined {
  const value = given.get(field);
  if (value === undefined) return undefined;
  if (typeof value === "number" && value >= 0 && value <= most) return value;
  throw refused(field, value, `a number from 0 to ${most}`, most);
}

function isTrue(given: ReadonlyMap<string, unknown>, field: string): boolean {
  const value = given.get(field);
  if (value === undefined || typeof value === "boolean") return value === true;
  throw refused(field, value, "true or false");
}

function refused(field: string, value: unknown, wanted: string, limit?: number): LightedgeError {
  const shown = printable(typeof value === "object" ? JSON.stringify(value) : value);
  const details = { field, value: shown, ...(limit === undefined ? {} : { limit }) };
  return new LightedgeError("request/invalid", `${field} must be ${wanted}, not ${shown}.`, details);
}
