/** Stores as workerd reaches them: over a distance, and with the faults of their regions. */
import { type Request as WorkerdRequest, Response as WorkerdResponse } from "miniflare";
import { type ServedStore, storeResponse } from "../store/service.ts";
import type { FaultBoard } from "./faults.ts";

/** Answers for a store, as a service binding of a worker. */
export type StoreService = (request: WorkerdRequest) => Promise<WorkerdResponse>;

/** A store right here. */
export function nearStore(store: ServedStore): StoreService {
  return (request) => answered(store, request);
}

/** What imitates a network may wait and throw dice; tests bring their own. */
export interface LinkPorts {
  pause(ms: number): Promise<void>;
  /** From 0 to below 1. */
  random(): number;
}

/** The world's. */
export const WORLD_LINK: LinkPorts = {
  pause: (ms) => (ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms))),
  random: Math.random,
};

/** The store of region `to`, asked from region `from`: after the round trip, and unless a fault is on. */
export function distantStore(
  store: ServedStore,
  board: FaultBoard,
  [from, to]: readonly [from: string, to: string],
  ports: LinkPorts = WORLD_LINK,
): StoreService {
  return async (request) => {
    await ports.pause(board.wayMs(from, to));
    await board.untilAnswering(to);
    const { cut, store_error_rate: rate } = board.of(to);
    if (cut !== null) return down(`The region ${to} is cut.`);
    if (rate > 0 && ports.random() < rate) return down("The store fails, as it was told to.");
    return answered(store, request);
  };
}

function down(message: string): WorkerdResponse {
  return new WorkerdResponse(message, { status: 503 });
}

/** The store's answer as miniflare wants it: its Response is a class of its own. */
async function answered(store: ServedStore, request: WorkerdRequest): Promise<WorkerdResponse> {
  const { url, method } = request;
  const sent = request.body === null ? {} : { body: await request.arrayBuffer() };
  const answer = await storeResponse(
    store,
    new Request(url, { method, headers: [...request.headers], ...sent }),
  );
  const body = answer.body === null ? null : new Uint8Array(await answer.arrayBuffer());
  return new WorkerdResponse(body, { status: answer.status, headers: [...answer.headers] });
}
