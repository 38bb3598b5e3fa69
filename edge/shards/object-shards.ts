/** The way to shards in Durable Objects: stubs, deadlines, and what the platform's errors mean. */
import type {
  ShardAddress,
  ShardCallName,
  ShardCalls,
  ShardMessage,
  ShardPort,
  ShardReply,
} from "../../shared/engine/wire.ts";
import { WIRE_VERSION } from "../../shared/engine/wire.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { isRegionName } from "../../shared/regions/region.ts";

/** Objects whose ids are kept: those of the indexes that an isolate asks, each of some hundred bytes. */
const MOST_IDS = 1024;

/** What answers for an object. */
interface ShardStub {
  ask(message: ShardMessage): Promise<ShardReply>;
}

/** Objects by name: the binding `SHARDS`. */
export class ObjectShards implements ShardPort {
  readonly #namespace: DurableObjectNamespace;
  /** Ids by names: an id is a digest of its name. The least recently made first. */
  readonly #ids = new Map<string, DurableObjectId>();

  constructor(namespace: DurableObjectNamespace) {
    this.#namespace = namespace;
  }

  async ask<Name extends ShardCallName>(
    name: Name,
    address: ShardAddress,
    request: ShardCalls[Name]["request"],
    patienceMs: number,
  ): Promise<ShardCalls[Name]["answer"]> {
    const message: ShardMessage<Name> = { wire: WIRE_VERSION, name, address, request, patienceMs };
    const reply = await withinTime(this.#askTwice(message), address, patienceMs);
    if ("refusal" in reply) {
      const { code, message: why, blob } = reply.refusal;
      const what = `Shard ${address.ordinal} of ${address.index} in ${address.region}: ${why}`;
      throw new LightedgeError(code, what, blob === undefined ? {} : { blob });
    }
    // Safe: the object answers by the name that it was asked with.
    return reply.answer as ShardCalls[Name]["answer"];
  }

  /** Once more, by a fresh stub, where the platform says that this may help. An object that is overloaded is left alone. */
  async #askTwice(message: ShardMessage): Promise<ShardReply> {
    try {
      return await this.#stub(message.address).ask(message);
    } catch (error) {
      if (!isMarked(error, "retryable") || isMarked(error, "overloaded"))
        throw unreachable(message.address, error);
    }
    try {
      return await this.#stub(message.address).ask(message);
    } catch (error) {
      throw unreachable(message.address, error);
    }
  }

  #idOf(name: string): DurableObjectId {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#namespace.idFromName(name);
    this.#ids.set(name, id);
    const [oldest] = this.#ids.keys();
    if (this.#ids.size > MOST_IDS && oldest !== undefined) this.#ids.delete(oldest);
    return id;
  }

  #stub({ region, index, sha256 }: ShardAddress): ShardStub {
    const id = this.#idOf(`${region}/${index}/${sha256}`);
    const hint = hintOf(region);
    const stub = this.#namespace.get(id, hint === undefined ? {} : { locationHint: hint });
    // The one cast: types of calls from isolate to isolate give up on messages as deep as these.
    return stub as unknown as ShardStub;
  }
}

/** The place to make an object in. Only the first call for it decides; regions that are no hints are those of local serving. */
function hintOf(region: string): DurableObjectLocationHint | undefined {
  // Later hints than the types know are hints all the same.
  return isRegionName(region) ? (region as DurableObjectLocationHint) : undefined;
}

async function withinTime<T>(work: Promise<T>, address: ShardAddress, patienceMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const message = `Shard ${address.ordinal} of ${address.index} in ${address.region} did not answer in time.`;
  const timer = setTimeout(
    () => reject(new LightedgeError("shard/unavailable", message)),
    Math.max(0, patienceMs),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // Whoever lost the race may still fail, and nobody listens any more.
    work.catch(() => undefined);
  }
}

function isMarked(error: unknown, mark: "retryable" | "overloaded"): boolean {
  return typeof error === "object" && error !== null && Reflect.get(error, mark) === true;
}

function unreachable({ ordinal, index, region }: ShardAddress, cause: unknown): LightedgeError {
  const where = `Shard ${ordinal} of ${index} in ${region}`;
  if (isMarked(cause, "overloaded"))
    return new LightedgeError(
      "shard/overloaded",
      `${where} has more to do than it takes; ask again shortly.`,
      {},
      cause,
    );
  return new LightedgeError("shard/unavailable", `${where} cannot be reached.`, {}, cause);
}
