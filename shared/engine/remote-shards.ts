/**
 * Shards in Durable Objects: the same steps as over shards in memory, two round trips a query, all shards at once.
 * A shard that fails is left out of the answer and named in it.
 */
import { LightedgeError } from "../errors.ts";
import { SHARD_LIMITS } from "../limits.ts";
import { chooseDocuments } from "./cut.ts";
import type { EncodedQuery } from "./encoded-query.ts";
import type { Candidate } from "./fuse.ts";
import { gather } from "./gather.ts";
import { searchable } from "./live-shards.ts";
import type { ResidentShard } from "./resident.ts";
import {
  type ChunkPlace,
  FAR_POOL,
  NEAR_POOL,
  type Pool,
  type ScoredDocuments,
  type SearchableShard,
  type ShardEvidence,
  type ShardProposals,
} from "./shard-contract.ts";
import { type Evidence, type Found, type Located, type Shards, totalsOf, type Wanted } from "./shards.ts";
import type { Hidden, ShardAddress, ShardCallName, ShardCalls, ShardPort } from "./wire.ts";

/** The shards of one version elsewhere. */
export interface RemoteShards extends Shards {
  /** Has every shard made ready. Throws the first failure once all have ended. */
  ready(): Promise<void>;
}

/** What asking needs. */
export interface RemotePorts {
  readonly port: ShardPort;
  /** Milliseconds from any fixed point. */
  now(): number;
}

/** What is laid over the shards of a version. */
interface Layer {
  readonly hidden: readonly string[];
  /** By shard, the numbers of its hidden documents, once it has told them. */
  readonly known: (Uint16Array<ArrayBuffer> | undefined)[];
  readonly fresh: ResidentShard | null;
}

/** What a fresh shard in memory answers, taken at once. */
interface FreshAnswer {
  readonly proposals: ShardProposals;
  readonly scored: ScoredDocuments;
  readonly evidence: ShardEvidence | null;
}

/** A search on its way: what was asked, and what all shards have proposed. */
interface Asked {
  readonly query: EncodedQuery;
  readonly deep: boolean;
  readonly terms: readonly number[] | null;
  readonly until: number;
  readonly fresh: FreshAnswer | null;
  readonly proposed: readonly Outcome<ShardCalls["propose"]["answer"]>[];
}

/** The shards at these addresses, in the order of their ordinals. Cheap: nothing is asked. */
export function remoteShards(ports: RemotePorts, addresses: readonly ShardAddress[]): RemoteShards {
  return over(ports, addresses, { hidden: [], known: [], fresh: null });
}

function over(ports: RemotePorts, addresses: readonly ShardAddress[], layer: Layer): RemoteShards {
  const { port, now } = ports;
  /** All of these shards at once; null where there is nothing to ask. Failures are kept, not thrown. */
  const askAll = async <Name extends ShardCallName>(
    name: Name,
    requests: readonly (ShardCalls[Name]["request"] | null)[],
    until: number,
  ): Promise<readonly Outcome<ShardCalls[Name]["answer"]>[]> =>
    Promise.all(
      requests.map(async (request, shard) => {
        if (request === null) return NOT_ASKED;
        try {
          return { answer: await port.ask(name, addresses[shard]!, request, until - now()) };
        } catch (error) {
          return { error };
        }
      }),
    );

  const find = async (query: EncodedQuery, wanted: Wanted): Promise<Found> => {
    const { deep, terms, patienceMs = SHARD_LIMITS.patienceMs } = wanted;
    const until = now() + patienceMs;
    const pool = deep ? FAR_POOL : NEAR_POOL;
    const hidden = addresses.map((_, shard): Hidden => {
      const known = layer.known[shard];
      return known === undefined ? { ids: layer.hidden } : { documents: known };
    });
    // In this turn, before the first wait: the memory of a fresh shard may be filled anew while others are asked.
    const fresh =
      layer.fresh === null ? null : answerOfFresh(searchable(alive(layer.fresh)), query, pool, terms);
    const proposed = await askAll(
      "propose",
      addresses.map((_, shard) => ({ query, pool, hidden: hidden[shard]! })),
      until,
    );
    proposed.forEach((outcome, shard) => {
      if ("answer" in outcome && outcome.answer !== null) layer.known[shard] = outcome.answer.hidden;
    });
    return among({ query, deep, terms, until, fresh, proposed }, proposed.map(errorOf));
  };

  /** What the shards find that did not fail, of what all have proposed. */
  const among = async (asked: Asked, failed: unknown[]): Promise<Found> => {
    const { query, deep, until, fresh, proposed } = asked;
    const checkSome = () => {
      if (addresses.length > 0 && failed.every((error) => error !== undefined)) throw failed[0];
    };
    checkSome();
    // Again where a shard fails between: what it had proposed took the places of others' documents, so that the pool has to be
    // cut anew, or what is left would not be ranked as an index without that shard ranks it.
    for (;;) {
      const own = proposed.map((outcome, shard) =>
        failed[shard] === undefined ? (answerOf(outcome)?.proposals ?? null) : null,
      );
      const all = fresh === null ? own : [...own, fresh.proposals];
      const chosen = chooseDocuments(all, deep ? FAR_POOL : NEAR_POOL);
      const scored = await askAll(
        "score",
        addresses.map((_, shard) => {
          const documents = chosen[shard]!;
          return documents.length === 0 ? null : { query, documents };
        }),
        until,
      );
      const newly = scored.flatMap((outcome, shard) => (errorOf(outcome) === undefined ? [] : [shard]));
      for (const shard of newly) failed[shard] = errorOf(scored[shard]!);
      checkSome();
      if (newly.length > 0) continue;
      const found = scored.map((outcome, at) =>
        failed[at] === undefined ? (answerOf(outcome) ?? NOTHING_SCORED) : null,
      );
      const allScored = fresh === null ? found : [...found, fresh.scored];
      return {
        candidates: gather(all, allScored, query, deep),
        ...totalsOf(all),
        missing: failed.flatMap((error, shard) => (error === undefined ? [] : [shard])),
        evidence: (candidates) => evidenceOf(candidates, asked, failed),
      };
    }
  };

  /** One call to each shard that has candidates; those of the fresh shard are here already. */
  const evidenceOf = async (
    candidates: readonly Candidate[],
    asked: Asked,
    failed: readonly unknown[],
  ): Promise<Evidence> => {
    const { fresh, until } = asked;
    const terms = asked.terms ?? [];
    const own = addresses.map((_, shard) => candidates.filter((candidate) => candidate.shard === shard));
    const outcomes = await askAll(
      "evidence",
      own.map((some) => (some.length === 0 ? null : { chunks: some.map(placeOf), terms })),
      until,
    );
    // Its candidates took the places of others, as above.
    if (outcomes.some((outcome) => errorOf(outcome) !== undefined))
      return among(
        asked,
        failed.map((error, shard) => error ?? errorOf(outcomes[shard]!)),
      );
    return candidates.map((candidate) => {
      const { shard, at } = candidate;
      if (shard === addresses.length) return partOf(fresh!.evidence!, at, terms.length);
      return partOf(answerOf(outcomes[shard]!)!, own[shard]!.indexOf(candidate), terms.length);
    });
  };

  const locate = async (id: string, patienceMs = SHARD_LIMITS.patienceMs): Promise<Located | null> => {
    const { fresh, hidden } = layer;
    const place = fresh === null ? null : searchable(alive(fresh)).locate(id);
    if (place !== null) return { shard: addresses.length, ...place };
    if (hidden.includes(id)) return null;
    const outcomes = await askAll(
      "locate",
      addresses.map(() => ({ id })),
      now() + patienceMs,
    );
    for (const [shard, outcome] of outcomes.entries()) {
      const found = answerOf(outcome);
      if (found !== null) return { shard, ...found };
    }
    const failed = outcomes.flatMap((outcome, shard) => (errorOf(outcome) === undefined ? [] : [shard]));
    if (failed.length === 0) return null;
    const message = `The document may be in a shard that does not answer: ${failed.join(", ")}. Ask again shortly.`;
    throw new LightedgeError("index/partial", message, { field: "id" }, errorOf(outcomes[failed[0]!]!));
  };

  return {
    find,
    locate,
    withLayer: ({ hidden, fresh }) => over(ports, addresses, { hidden, known: [], fresh }),
    async ready() {
      const outcomes = await askAll(
        "ready",
        addresses.map(() => ({})),
        now() + SHARD_LIMITS.readyMs,
      );
      const error = outcomes.map(errorOf).find((each) => each !== undefined);
      if (error !== undefined) throw error;
    },
  };
}

/** What became of a call: `answer` null where nothing was asked. */
type Outcome<Answer> = { readonly answer: Answer | null } | { readonly error: unknown };
const NOT_ASKED = { answer: null };

function answerOf<Answer>(outcome: Outcome<Answer>): Answer | null {
  return "answer" in outcome ? outcome.answer : null;
}

function errorOf(outcome: Outcome<unknown>): unknown {
  return "error" in outcome ? outcome.error : undefined;
}

const NOTHING_SCORED: ScoredDocuments = {
  documents: new Uint32Array(0),
  dense: new Float64Array(0),
  chunks: new Uint32Array(0),
  sparse: new Int32Array(0),
  places: new Uint32Array(0),
  ids: new Uint8Array(0),
  idStarts: new Uint32Array(1),
};

function alive(shard: ResidentShard) {
  return { ...shard, dead: new Uint16Array(0) };
}

/** All that a search may want of a fresh shard: few documents, so all it proposes are scored whatever the cut leaves. */
function answerOfFresh(
  shard: SearchableShard,
  query: EncodedQuery,
  pool: Pool,
  terms: readonly number[] | null,
): FreshAnswer {
  const proposals = shard.propose(query, pool);
  const documents = new Set([...proposals.dense.documents, ...proposals.sparse.documents]);
  const scored = shard.score(query, Uint32Array.from(documents).sort());
  const places = Array.from(scored.documents, (document, at) => ({ document, chunk: scored.chunks[at]! }));
  return { proposals, scored, evidence: terms === null ? null : shard.evidence(places, terms) };
}

function placeOf({ document, chunk }: Candidate): ChunkPlace {
  return { document, chunk };
}

/** The evidence of one chunk out of that of many. */
function partOf(
  { vectors, scales, impacts, impactScale }: ShardEvidence,
  at: number,
  terms: number,
): ShardEvidence {
  const padded = vectors.length / scales.length;
  return {
    vectors: vectors.slice(at * padded, (at + 1) * padded),
    scales: scales.slice(at, at + 1),
    impacts: impacts.slice(at * terms, (at + 1) * terms),
    impactScale,
  };
}
