/**
 * Runs in workerd, in local serving alone: the way from a place to the shard objects of a region. `GET /FROM/TO` is
 * answered with 204 when the way's round trip is over, with 503 where the region is cut, or not before it is healed.
 * `PUT /` brings the ways that there are now. After a restart they are fetched from the server at the first question.
 */

/** Milliseconds by `from>to`, and which regions are cut. */
interface Ways {
  readonly ms: Readonly<Record<string, number>>;
  readonly cut: Readonly<Record<string, "refuse" | "hang" | null>>;
}

interface Env {
  readonly SERVER: { fetch(url: string): Promise<Response> };
}

/** Milliseconds between two looks at whether a region that hangs was healed. */
const LOOK_MS = 20;

// One isolate is the network of all: that is what this worker is for.
let ways: Ways | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.method === "PUT") {
      ways = await waysOf(request);
      return new Response(null, { status: 204 });
    }
    ways ??= await waysOf(await env.SERVER.fetch("http://server/ways"));
    const [, from = "", to = ""] = new URL(request.url).pathname.split("/");
    await pause(ways.ms[`${from}>${to}`] ?? 0);
    while (ways.cut[to] === "hang") await pause(LOOK_MS);
    return new Response(null, { status: ways.cut[to] === "refuse" ? 503 : 204 });
  },
};

async function waysOf(message: Request | Response): Promise<Ways> {
  // Safe: only the server that started this worker sends them.
  return (await message.json()) as Ways;
}

function pause(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
