/** A store that breaks as planned, to find out what is left of the work around it. */
import { LightedgeError } from "../../shared/errors.ts";
import type { ObjectInfo, PutOutcome, StoredObject, WriteStore } from "../../shared/store/store.ts";
import {
  breakAt,
  canBreak,
  type FaultPlan,
  type Method,
  type Operation,
  type PlannedFault,
} from "./fault-plan.ts";

/** The ways of breaking that end work at once; the others are in `fault-plan.ts`. */
export type Fault = "fail before" | "fail after" | "crash" | "crash after";
/** Every way to end work. */
export const FAULTS = [
  "fail before",
  "fail after",
  "crash",
  "crash after",
] as const satisfies readonly Fault[];

/** What the faults take from the world around them. The defaults suit a test without a clock of its own. */
export interface FaultPorts {
  /** Resolves after this many milliseconds. Default: at once. */
  pause(milliseconds: number): Promise<void>;
  /** Does a request that lands late. Default: after `pause`, whatever became of its client. */
  later(milliseconds: number, work: () => Promise<unknown>, operation: Operation): void;
  /** Ends the process. Default: this and all later operations throw, which a caller may outlive. */
  crash(): Promise<never>;
}

const NEVER = new Promise<never>(() => {});

/** Another store as one client sees it, some of its operations broken. */
export class FaultStore implements WriteStore {
  readonly #inner: WriteStore;
  readonly #plan: FaultPlan;
  readonly #ports: FaultPorts;
  readonly #seen = new Map<string, StoredObject>();
  #crashed = false;
  /** What was asked for so far: `method key`. */
  readonly log: string[] = [];
  /** What broke so far: `number method key: fault`. */
  readonly struck: string[] = [];

  /** A plan, or the number of the one operation that breaks, from 0, with its fault. */
  constructor(inner: WriteStore, plan?: number | FaultPlan, more?: Fault | Partial<FaultPorts>) {
    this.#inner = inner;
    const fault = typeof more === "string" ? more : "fail before";
    this.#plan = typeof plan === "function" ? plan : breakAt(plan ?? Number.POSITIVE_INFINITY, fault);
    const pause = async () => {};
    this.#ports = {
      pause,
      later: (milliseconds, work) => void this.#ports.pause(milliseconds).then(work),
      crash: () => Promise.reject(new LightedgeError("store/unavailable", "The process has died.")),
      ...(typeof more === "object" ? more : {}),
    };
  }

  get(key: string): Promise<StoredObject | null> {
    return this.#run("get", key, async (planned) => {
      const found = await this.#inner.get(key);
      if (planned?.fault === "missing") return null;
      if (planned?.fault === "stale") return this.#seen.get(key) ?? found;
      if (found === null) return null;
      this.#seen.set(key, found);
      const body = damage(found.body, planned);
      return { ...found, bytes: body.length, body };
    });
  }
  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#run("getRange", key, async (planned) => {
      const found = await this.#inner.getRange(key, offset, length);
      return found === null || planned?.fault === "missing" ? null : damage(found, planned);
    });
  }
  head(key: string): Promise<ObjectInfo | null> {
    return this.#run("head", key, async (planned) => {
      const found = await this.#inner.head(key);
      return planned?.fault === "missing" ? null : found;
    });
  }
  put(key: string, body: Uint8Array<ArrayBuffer>): Promise<ObjectInfo> {
    return this.#run("put", key, () => this.#inner.put(key, body));
  }
  putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>): Promise<PutOutcome> {
    return this.#run("putIfAbsent", key, (planned) =>
      this.#conditional(planned, () => this.#inner.putIfAbsent(key, body)),
    );
  }
  putIfMatch(key: string, body: Uint8Array<ArrayBuffer>, etag: string): Promise<PutOutcome> {
    return this.#run("putIfMatch", key, (planned) =>
      this.#conditional(planned, () => this.#inner.putIfMatch(key, body, etag)),
    );
  }
  async *list(prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
    const planned = await this.#run("list", prefix, async (fault) => fault);
    let left = planned?.fault === "cut" ? (planned.amount ?? 0) : Number.POSITIVE_INFINITY;
    for await (const info of this.#inner.list(prefix)) {
      if (left-- <= 0) return;
      yield info;
    }
  }
  delete(key: string): Promise<void> {
    return this.#run("delete", key, () => this.#inner.delete(key));
  }

  async #run<T>(method: Method, key: string, work: (planned: PlannedFault | null) => Promise<T>): Promise<T> {
    const operation = { number: this.log.push(`${method} ${key}`) - 1, method, key };
    if (this.#crashed) return this.#ports.crash();
    const planned = this.#plan(operation);
    if (planned === null || !canBreak(method, planned.fault)) return work(null);
    const { fault, amount } = planned;
    this.struck.push(`${operation.number} ${method} ${key}: ${fault}`);
    switch (fault) {
      case "fail before":
        throw unavailable(operation, planned);
      case "fail after":
        await work(null);
        throw unavailable(operation, planned);
      case "late":
        this.#ports.later(amount ?? 0, () => work(null), operation);
        throw unavailable(operation, planned);
      case "stall":
        await (amount === undefined ? NEVER : this.#ports.pause(amount));
        throw unavailable(operation, planned);
      case "delay": {
        const answer = await work(null);
        await this.#ports.pause(amount ?? 0);
        return answer;
      }
      case "crash":
        this.#crashed = true;
        return this.#ports.crash();
      case "crash after":
        await work(null);
        this.#crashed = true;
        return this.#ports.crash();
      default:
        return work(planned);
    }
  }

  async #conditional(planned: PlannedFault | null, write: () => Promise<PutOutcome>): Promise<PutOutcome> {
    if (planned?.fault === "conflict after") await write();
    return planned === null ? write() : { kind: "conflict" };
  }
}

/** What a store says when it could not do what it was asked, after all its own tries. */
function unavailable({ number, method }: Operation, { fault, amount }: PlannedFault): LightedgeError {
  const status = fault === "fail before" && amount !== undefined ? ` (status ${amount})` : "";
  return new LightedgeError("store/unavailable", `Operation ${number}, ${method}, broke: ${fault}${status}.`);
}

/** These bytes, or what arrives of them. */
function damage(body: Uint8Array<ArrayBuffer>, planned: PlannedFault | null): Uint8Array<ArrayBuffer> {
  const amount = planned?.amount ?? 1;
  switch (planned?.fault) {
    case "short":
      return body.slice(0, Math.max(0, body.length - amount));
    case "long": {
      const longer = new Uint8Array(body.length + amount);
      longer.set(body);
      return longer;
    }
    case "flip": {
      const flipped = body.slice();
      const bit = amount % (8 * Math.max(1, body.length));
      if (body.length > 0) flipped[bit >> 3]! ^= 1 << (bit & 7);
      return flipped;
    }
    default:
      return body;
  }
}
