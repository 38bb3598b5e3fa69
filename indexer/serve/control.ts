/**
 * The control of a local server's faults. It has an address of its own, on this machine alone, and no deployment has it.
 *
 * `GET /faults` answers `{home, regions: {NAME: {cut, slow_ms, store_error_rate}}}`. `POST /faults` with
 * `content-type: application/json` takes an order and answers the same, when it is carried out:
 *
 * | field | value | what it does |
 * |---|---|---|
 * | `region` | a region served; absent: all | which region the others are about |
 * | `cut` | `"refuse"`, `"hang"`, null | store and shard objects refuse at once, or answer when healed |
 * | `slow_ms` | 0 to 60,000 | added to each read of the store and each call of an object |
 * | `store_error_rate` | 0 to 1 | share of reads of the store that fail |
 * | `heal` | true | all of the above is taken back, before the rest is applied |
 * | `evict` | true | shard objects lose their memory, not their storage |
 * | `restart` | true | workerd is killed, requests on their way with it, and started again |
 *
 * A server without regions has the one region `local`. Anything else is refused: 400 with field, value and limit.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { asLightedgeError, LightedgeError } from "../../shared/errors.ts";
import { type FaultBoard, type FaultOrder, faultOrderOf } from "./faults.ts";

/** Bytes of an order. The longest that says anything has 150. */
const MOST_BYTES = 4096;

/** What the control acts on. */
export interface Controlled {
  readonly board: FaultBoard;
  readonly home: string;
  /** Makes known in workerd what the board says. */
  spread(): Promise<void>;
  evict(region: string | undefined): Promise<void>;
  restart(): Promise<void>;
}

/** Answers one request to the control. `mayRestart`: whether whoever asks outlives workerd. Never throws. */
export async function controlResponse(
  controlled: Controlled,
  request: Request,
  mayRestart: boolean,
): Promise<Response> {
  try {
    if (request.method === "GET") return report(controlled);
    if (request.method !== "POST")
      return new Response(null, { status: 405, headers: { allow: "GET, POST" } });
    const order = await orderOf(request, Object.keys(controlled.board.regions));
    if (order.restart && !mayRestart)
      throw invalid("restart", "true", "is taken at the control's own address alone");
    await carryOut(controlled, order);
    return report(controlled);
  } catch (error) {
    const { code, message, details } = asLightedgeError(error);
    const status = code === "request/invalid" ? 400 : code === "request/too-large" ? 413 : 500;
    return Response.json({ error: { code, message, ...details } }, { status });
  }
}

async function carryOut(controlled: Controlled, order: FaultOrder): Promise<void> {
  controlled.board.apply(order);
  await controlled.spread();
  if (order.evict) await controlled.evict(order.region);
  if (order.restart) await controlled.restart();
}

function report({ board, home }: Controlled): Response {
  return Response.json({ home, regions: board.regions }, { headers: { "cache-control": "no-store" } });
}

async function orderOf(request: Request, regions: readonly string[]): Promise<FaultOrder> {
  // A page from elsewhere cannot send this type without asking first, and it is not answered then.
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(?:;|$)/iu.test(type))
    throw invalid("content-type", type, "must be application/json");
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > MOST_BYTES)
    throw new LightedgeError("request/too-large", `An order has at most ${MOST_BYTES} bytes.`, {
      limit: MOST_BYTES,
    });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw invalid("body", "", "must be JSON");
  }
  return faultOrderOf(value, regions);
}

function invalid(field: string, value: string, message: string): LightedgeError {
  return new LightedgeError("request/invalid", `${field} ${message}.`, { field, value: value.slice(0, 60) });
}

/** A control that listens. */
export interface ListeningControl {
  /** Where `/faults` is: `http://127.0.0.1:PORT`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on this machine's own address; 0 for any free port. Throws `usage/invalid` where the port is taken. */
export async function listenForControl(controlled: Controlled, port: number): Promise<ListeningControl> {
  const server = createServer((incoming, outgoing) => {
    void answer(controlled, incoming).then(async (response) => {
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      outgoing.end(new Uint8Array(await response.arrayBuffer()));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(taken(port, cause)));
    server.listen(port, "127.0.0.1", resolve);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  // Safe: it listens on a port, not on a pipe.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

function taken(port: number, cause: unknown): LightedgeError {
  const message = `The control does not start on 127.0.0.1:${port}; another program may hold the port. Choose one with --control.`;
  return new LightedgeError("usage/invalid", message, { field: "control", value: String(port) }, cause);
}

async function answer(controlled: Controlled, incoming: IncomingMessage): Promise<Response> {
  const { method = "GET", url = "/", headers } = incoming;
  if (url !== "/faults") return new Response("The control is at /faults.", { status: 404 });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of incoming as AsyncIterable<Uint8Array>) {
      // Of what is too long only so much is kept that it can be told.
      if (bytes <= MOST_BYTES) parts.push(part);
      bytes += part.length;
    }
  } catch {
    return new Response(null, { status: 400 });
  }
  const body = method === "GET" || method === "HEAD" ? {} : { body: Buffer.concat(parts) };
  const type = headers["content-type"] ?? "";
  const request = new Request("http://control/faults", {
    method,
    headers: { "content-type": type },
    ...body,
  });
  return controlResponse(controlled, request, true);
}
