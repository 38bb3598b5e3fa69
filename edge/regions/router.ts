/**
 * Which region answers a request: the nearest first, with one retry; the next where it fails by no fault of the
 * caller's; all of it within one deadline. An answer is one region's and one version's: what fails midway is asked
 * anew as a whole elsewhere.
 */
import { asLightedgeError, type ErrorCode, LightedgeError } from "../../shared/errors.ts";
import { SHARD_LIMITS } from "../../shared/limits.ts";
import type { PassedRegion } from "../../shared/types.ts";
import { behind, isFresh } from "../freshness.ts";
import type { IndexCache, Proven } from "../index-cache.ts";
import type { WrittenIndexes } from "../write.ts";
import type { Circuits } from "./circuit.ts";
import { keyOf } from "./key.ts";
import type { Question, Routed, RoutedRegion } from "./question.ts";
import { regionQueue } from "./queue.ts";
import { type Pauser, within } from "./within.ts";

/** What routing needs. */
export interface RouterPorts extends Pauser {
  /** Indexes by `keyOf(region, index)`. */
  readonly indexes: IndexCache;
  readonly circuits: Circuits;
  /** Milliseconds for one request in all its regions; null to wait for as long as it takes. */
  readonly deadlineMs: number | null;
  /** Whether writes that wait are looked for. */
  readonly readsInbox: boolean;
  /** Milliseconds from any fixed point. */
  now(): number;
  /** Takes one line of JSON for each failure that another region may make good. */
  log(line: string): void;
}

/** Failures of ours that another region may not have. */
const ELSEWHERE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "store/unavailable",
  "blob/missing",
  "blob/corrupt",
  "format/invalid",
  "format/unsupported",
  "binding/mismatch",
  "index/partial",
  "shard/unavailable",
  "shard/overloaded",
]);
/** Those that may be gone at once, so that the same region is asked once more. Parts of a query have retries of their own. */
const AGAIN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "store/unavailable",
  "blob/missing",
  "blob/corrupt",
]);
/** Share of the deadline after which a failure is not retried in its region: a slow failure would be as slow again. */
const RETRY_SHARE = 1 / 4;

/** Share of a region's time that its shards have: where one is silent, what the others say still becomes an answer. */
const SHARDS_SHARE = 3 / 4;

/** One try of a request to find an answer in its regions. */
interface Journey<T> {
  readonly question: Question<T>;
  readonly startedAt: number;
  /** What each region that was asked said. */
  readonly said: Map<string, LightedgeError>;
  /** The answer that lacks least so far. */
  partial: (Omit<Routed<T>, "passed"> & { readonly lacks: readonly number[] }) | null;
}

/** Sends questions to regions. One serves an isolate for its life. */
export class RegionRouter {
  readonly #ports: RouterPorts;

  constructor(ports: RouterPorts) {
    this.#ports = ports;
  }

  /**
   * The answer of the nearest region that has one. Throws what is the caller's fault as the first region says it;
   * `index/behind` where no region is as new as asked; `index/partial` where the question is strict and shards are
   * missing everywhere; else what the nearest region failed with. Cost: where all is well that of one region.
   */
  async ask<T>(question: Question<T>): Promise<Routed<T>> {
    const journey: Journey<T> = { question, startedAt: this.#ports.now(), said: new Map(), partial: null };
    const { circuits } = this.#ports;
    const queue = regionQueue(question.regions, ({ name }) =>
      circuits.admits(circuitsOf(name, question.index)),
    );
    for (let region = queue.next(); region !== undefined; region = queue.next()) {
      const left = this.#left(journey);
      if (left !== null && left <= 0) break;
      const found = await this.#tryRegion(journey, region, left);
      if (found !== null) return { ...found, passed: this.#passed(journey, region.name) };
      // A name that a replica does not know may be one that it does not have yet; home knows.
      if (codeOf(journey, region) === "index/not-found") queue.homeFirst();
    }
    return this.#without(journey);
  }

  /** The indexes of this isolate as one who takes a write wants them: a write is laid over every region's. */
  written(regions: readonly RoutedRegion[]): WrittenIndexes {
    const { indexes } = this.#ports;
    const keys = (name: string) => regions.map((region) => keyOf(region.name, name));
    return {
      getWhere: (index, background, passes) =>
        this.ask({ index, regions, freshness: {}, background, passes, ask: async () => undefined }),
      hasRoom: (name, write) => keys(name).every((key) => indexes.hasRoom(key, write)),
      note: (name, write) => {
        for (const key of keys(name)) indexes.note(key, write);
      },
    };
  }

  /** The region's answer, or null where the next is to be asked. Throws what no other region could mend. */
  async #tryRegion<T>(
    journey: Journey<T>,
    region: RoutedRegion,
    left: number | null,
  ): Promise<Omit<Routed<T>, "passed"> | null> {
    const { question, said } = journey;
    const startedAt = this.#ports.now();
    // Loads end by themselves, since reads do. What answers from elsewhere may not, and then others need time too.
    const askMs = left === null || said.size + 1 >= question.regions.length ? left : left / 2;
    try {
      const found = await within(
        this.#ports,
        left,
        this.#twice(question, region, askMs),
        () => new OutOfTime(),
      );
      const lacks = question.missing?.(found.answer) ?? [];
      if (lacks.length === 0) {
        this.#heard(question.index, region, null, startedAt);
        return found;
      }
      if (journey.partial === null || lacks.length < journey.partial.lacks.length)
        journey.partial = { ...found, lacks };
      throw incomplete(question.index, lacks);
    } catch (failure) {
      const error = asLightedgeError(failure);
      // A load that goes on says nothing against its region: reads that hang fail by themselves.
      if (!(error instanceof OutOfTime)) this.#heard(question.index, region, error.code, startedAt);
      const unknown = error.code === "index/not-found" && !region.home;
      if (!unknown && !ELSEWHERE.has(error.code) && error.code !== "index/behind") throw failure;
      said.set(region.name, error);
      // Where another region answers, nobody else hears of it.
      if (ELSEWHERE.has(error.code) && question.regions.length > 1) this.#log(question.index, region, error);
      return null;
    }
  }

  /** Asks, and once more where a failure may be gone by then. */
  async #twice<T>(
    question: Question<T>,
    region: RoutedRegion,
    askMs: number | null,
  ): Promise<Omit<Routed<T>, "passed">> {
    const { now, deadlineMs } = this.#ports;
    const startedAt = now();
    try {
      return await this.#once(question, region, askMs);
    } catch (error) {
      if (!(error instanceof LightedgeError) || !AGAIN.has(error.code)) throw error;
      if (deadlineMs !== null && now() - startedAt >= deadlineMs * RETRY_SHARE) throw error;
      // What is missing may belong to a version that was replaced and collected: then there is a newer one.
      const look = error.code !== "store/unavailable";
      return await this.#once(look ? { ...question, passes: () => false } : question, region, askMs);
    }
  }

  async #once<T>(
    { index: name, freshness, background, ask, passes = () => true }: Question<T>,
    region: RoutedRegion,
    askMs: number | null,
  ): Promise<Omit<Routed<T>, "passed">> {
    const { indexes, readsInbox } = this.#ports;
    // Where no inbox is looked at, that a write is not in it says nothing.
    const fresh = ({ index, inboxAt }: Proven) => isFresh(index, readsInbox ? inboxAt : 0, freshness);
    const suits = (found: Proven) => passes(found) && fresh(found);
    const proven = await indexes.getWhere(keyOf(region.name, name), background, suits);
    if (!fresh(proven)) throw behind(proven.index, freshness);
    const patienceMs = askMs === null ? undefined : Math.min(SHARD_LIMITS.patienceMs, askMs * SHARDS_SHARE);
    const answer = await within(this.#ports, askMs, ask(proven.index, patienceMs), () => new Silence());
    return { answer, region: region.name, ...proven };
  }

  /** Notes what a region said: null for an answer, else a code. */
  #heard(index: string, region: RoutedRegion, code: ErrorCode | null, startedAt: number): void {
    const { circuits } = this.#ports;
    const [whole, own] = circuitsOf(region.name, index);
    // Who has more to do than it takes is sound, and is to be asked again by the next.
    const isFailure = code !== null && code !== "shard/overloaded" && ELSEWHERE.has(code);
    if (isFailure) circuits.failed(code === "store/unavailable" ? whole : own, code, startedAt);
    else circuits.succeeded(own);
    // A store that gave something wrong is not down.
    if (code !== "store/unavailable") circuits.succeeded(whole);
  }

  #log(index: string, { name: region }: RoutedRegion, { code, message, details }: LightedgeError): void {
    this.#ports.log(JSON.stringify({ level: "warn", region, index, code, message, blob: details.blob }));
  }

  #left({ startedAt }: Journey<unknown>): number | null {
    const { deadlineMs, now } = this.#ports;
    return deadlineMs === null ? null : startedAt + deadlineMs - now();
  }

  /** Why nearer regions did not answer: what they said, or what keeps requests away from them. */
  #passed(
    { question: { regions, index }, said }: Journey<unknown>,
    answered: string,
  ): readonly PassedRegion[] {
    const nearer = regions.slice(
      0,
      regions.findIndex(({ name }) => name === answered),
    );
    return nearer.flatMap(({ name: region }) => {
      const states = circuitsOf(region, index).map((circuit) => this.#ports.circuits.state(circuit)?.code);
      const code = said.get(region)?.code ?? states.find((state) => state !== undefined);
      return code === undefined ? [] : [{ region, code }];
    });
  }

  /** Where no region has a whole answer. */
  #without<T>({ question, said, partial, ...rest }: Journey<T>): Routed<T> {
    if (partial !== null && question.strict !== true) {
      const { lacks: _, ...found } = partial;
      return { ...found, passed: this.#passed({ question, said, partial, ...rest }, found.region) };
    }
    if (partial !== null) throw incomplete(question.index, partial.lacks);
    const errors = [...said.values()];
    // Known to be there and too old says more than that another region is down, and that more than a name unknown to replicas.
    const told = (test: (code: ErrorCode) => boolean) => errors.find(({ code }) => test(code));
    const worst = told((code) => code === "index/behind") ?? told((code) => code !== "index/not-found");
    throw worst ?? errors[0] ?? new OutOfTime();
  }
}

/** The error of a request whose time is over. */
class OutOfTime extends LightedgeError {
  constructor() {
    super("store/unavailable", "No region answered in time; what was begun goes on.");
  }
}

/** That of an index that was loaded and did not answer. */
class Silence extends LightedgeError {
  constructor() {
    super("shard/unavailable", "The shards of a region did not answer in time.");
  }
}

/** The circuits that a request goes through: the region's, and that of the index in it. */
function circuitsOf(region: string, index: string): readonly [string, string] {
  return [region, keyOf(region, index)];
}

function codeOf({ said }: Journey<unknown>, { name }: RoutedRegion): ErrorCode | undefined {
  return said.get(name)?.code;
}

function incomplete(index: string, lacks: readonly number[]): LightedgeError {
  const few = lacks.slice(0, 8).join(", ") + (lacks.length > 8 ? ", ..." : "");
  const message = `${lacks.length} shards of the index ${index} do not answer (${few}); ask again shortly, or without strict for what the others have.`;
  return new LightedgeError("index/partial", message);
}
