/** What is known of shards in Durable Objects without asking them: what they answered last. */
import type { ShardAddress, ShardCallName, ShardCalls, ShardPort } from "../../shared/engine/wire.ts";
import { asLightedgeError } from "../../shared/errors.ts";
import type { ShardReport } from "../../shared/regions/report.ts";

/** What a shard was last seen as, and the bytes it said it takes; null where it has not said. */
interface Seen {
  readonly state: ShardReport["state"];
  readonly bytes: number | null;
}

/** Shards that are remembered; beyond it the longest unasked is forgotten. */
const MOST = 4096;

/** A way to shards that remembers what became of each call. */
export class ShardStates implements ShardPort {
  readonly #inner: ShardPort;
  readonly #seen = new Map<string, Seen>();

  constructor(inner: ShardPort) {
    this.#inner = inner;
  }

  async ask<Name extends ShardCallName>(
    name: Name,
    address: ShardAddress,
    request: ShardCalls[Name]["request"],
    patienceMs: number,
  ): Promise<ShardCalls[Name]["answer"]> {
    try {
      const answer = await this.#inner.ask(name, address, request, patienceMs);
      // Safe: the name tells the kind of answer.
      const bytes = name === "ready" ? (answer as ShardCalls["ready"]["answer"]).residentBytes : null;
      this.#note(address, { state: "loaded", bytes: bytes ?? this.#of(address)?.bytes ?? null });
      return answer;
    } catch (error) {
      // Who has more to do than it takes is there.
      if (asLightedgeError(error).code !== "shard/overloaded")
        this.#note(address, { state: "unreachable", bytes: null });
      throw error;
    }
  }

  /** What is known of a shard; cold where nothing is. `foreseen` is what its manifest says it takes, in bytes. */
  report(
    address: Pick<ShardAddress, "region" | "index" | "ordinal" | "sha256">,
    foreseen: number,
  ): ShardReport {
    const { state, bytes } = this.#of(address) ?? { state: "cold", bytes: null };
    return { shard: address.ordinal, state, bytes: bytes ?? foreseen };
  }

  #of(address: Pick<ShardAddress, "region" | "index" | "sha256">): Seen | undefined {
    return this.#seen.get(nameOf(address));
  }

  #note(address: ShardAddress, seen: Seen): void {
    const name = nameOf(address);
    this.#seen.delete(name);
    this.#seen.set(name, seen);
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= MOST) return;
      this.#seen.delete(oldest);
    }
  }
}

/** As the object is named: an unchanged shard of a new version is the same object. */
function nameOf({ region, index, sha256 }: Pick<ShardAddress, "region" | "index" | "sha256">): string {
  return `${region}/${index}/${sha256}`;
}
