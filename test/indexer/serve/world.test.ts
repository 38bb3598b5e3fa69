/** Regions of a local server in real workerd: where requests come from, what faults do, what a restart keeps. */
import { createServer } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServeOptions, type Serving, serve } from "../../../indexer/serve.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import type { SearchAnswer } from "../../../shared/types.ts";
import { freePorts } from "../../helpers/free-ports.ts";
import { buildTiny, copyOf, openTiny, requestFor, TINY } from "../../helpers/tiny-build.ts";

const NAMES = ["weur", "enam", "apac"] as const;
const SEARCH = `v1/indexes/${TINY}/search?q=the+river+boat&limit=3`;

let store: MemoryStore;
let expected: readonly unknown[];
beforeAll(async () => {
  ({ store } = await buildTiny());
  const { hits } = await (await openTiny(store, "wasm")).search(requestFor("the river boat", { limit: 3 }));
  expected = JSON.parse(JSON.stringify(hits));
});

async function start(more: Partial<ServeOptions> = {}): Promise<Serving> {
  const [weur, enam, apac] = await Promise.all(
    NAMES.map(async (name) => ({ name, store: await copyOf(store) })),
  );
  return serve({
    ...{
      store,
      host: "127.0.0.1",
      port: 0,
      indexes: [TINY],
      examples: [],
      pointerMaxAge: 0,
      maxStale: 1,
      control: 0,
    },
    regions: [weur!, enam!, apac!],
    ...more,
  });
}

const order = (serving: Serving, body: object) =>
  fetch(`${serving.control}/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

async function ask(url: string, headers: Record<string, string> = {}): Promise<SearchAnswer> {
  const response = await fetch(new URL(SEARCH, url), { headers });
  expect(response.status).toBe(200);
  return (await response.json()) as SearchAnswer;
}

describe("a server with regions", { timeout: 60_000 }, () => {
  let serving: Serving;
  beforeAll(async () => {
    serving = await start();
  });
  afterAll(() => serving?.close());

  it("answers each place from the region there, the same as home", async () => {
    expect(serving.places.map(({ region }) => region)).toEqual(NAMES);
    for (const { region, url } of serving.places) {
      const answer = await ask(url);
      expect([answer.region, answer.failover, answer.hits]).toEqual([region, undefined, expected]);
    }
  });

  it("takes a request to come from where its header says, and refuses a place that is none", async () => {
    for (const { url } of serving.places)
      for (const from of NAMES) expect((await ask(url, { "x-lightedge-from": from })).region).toBe(from);
    const answer = await fetch(new URL(SEARCH, serving.url), { headers: { "x-lightedge-from": "mars" } });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("weur, enam, apac")]);
  });

  it("fails over from a region that is cut, says so, and goes back when it is healed", async () => {
    for (const cut of ["refuse", "hang"]) {
      expect((await order(serving, { region: "apac", cut })).status).toBe(200);
      expect(serving.reaches("apac")).toBe(false);
      const apac = serving.places[2]!.url;
      await expect
        .poll(async () => (await ask(apac)).region, { timeout: 20_000, interval: 100 })
        .not.toBe("apac");
      const answer = await ask(apac);
      expect(answer.failover?.from).toEqual([{ region: "apac", code: "store/unavailable" }]);
      expect(answer.hits).toEqual(expected);
      expect((await order(serving, { heal: true })).status).toBe(200);
      expect(serving.reaches("apac")).toBe(true);
      await expect
        .poll(async () => (await ask(apac)).region, { timeout: 20_000, interval: 200 })
        .toBe("apac");
    }
  });

  it("comes back from a restart at the same addresses, with the faults that were ordered", async () => {
    const urls = serving.places.map(({ url }) => url);
    expect((await order(serving, { region: "enam", cut: "refuse", restart: true })).status).toBe(200);
    expect(serving.places.map(({ url }) => url)).toEqual(urls);
    const answer = await ask(urls[1]!);
    expect([answer.region === "enam", answer.hits]).toEqual([false, expected]);
    expect((await ask(urls[0]!)).region).toBe("weur");
    expect((await order(serving, { heal: true })).status).toBe(200);
  });

  it("drops shard objects from memory on order, in one region or all", async () => {
    for (const body of [{ evict: true }, { evict: true, region: "weur" }])
      expect((await order(serving, body)).status).toBe(200);
    expect((await ask(serving.url)).hits).toEqual(expected);
  });

  it("offers the control to its own pages too, but for what would end them", async () => {
    const at = new URL("/local/faults", serving.url);
    expect(await (await fetch(at)).json()).toMatchObject({ home: "weur", regions: { apac: { cut: null } } });
    const init = { method: "POST", headers: { "content-type": "application/json" } };
    const answer = await fetch(at, { ...init, body: JSON.stringify({ region: "enam", slow_ms: 5 }) });
    expect(await answer.json()).toMatchObject({ regions: { enam: { slow_ms: 5 } } });
    expect((await fetch(at, { ...init, body: JSON.stringify({ restart: true }) })).status).toBe(400);
  });
});

describe("a server", { timeout: 60_000 }, () => {
  it("has one region, local, where there is a control and nothing else", async () => {
    const serving = await start({ regions: undefined as never });
    try {
      expect((await ask(serving.url)).region).toBe("local");
      expect((await order(serving, { region: "weur", cut: "refuse" })).status).toBe(400);
      expect((await order(serving, { region: "local", store_error_rate: 1 })).status).toBe(200);
      const answer = await fetch(new URL("v1/indexes/other", serving.url));
      expect(answer.status).toBe(503);
    } finally {
      await serving.close();
    }
  });

  it("without a control has no path for faults", async () => {
    const { control: _, ...rest } = { control: 0, regions: [{ name: "weur", store }] as const };
    const serving = await serve({
      ...{ store, host: "127.0.0.1", port: 0, indexes: [TINY], examples: [], pointerMaxAge: 60 },
      ...rest,
    });
    try {
      expect((await fetch(new URL("/local/faults", serving.url))).status).toBe(404);
      expect((await ask(serving.url)).region).toBe("weur");
      expect(serving.control).toBeUndefined();
    } finally {
      await serving.close();
    }
  });

  it("names the port that another program holds, whichever of a region's it is", async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, "127.0.0.1", () => resolve((other.address() as { readonly port: number }).port));
    });
    try {
      for (const first of [port, port - 1]) {
        await expect(start({ port: first })).rejects.toMatchObject({
          code: "usage/invalid",
          details: { field: "port", value: String(first) },
        });
      }
    } finally {
      other.close();
    }
  });

  it("is gone when a control's port is taken", async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, "127.0.0.1", () => resolve((other.address() as { readonly port: number }).port));
    });
    const at = await freePorts(NAMES.length);
    try {
      await expect(start({ port: at, control: port })).rejects.toMatchObject({
        details: { field: "control" },
      });
      expect(await answers(at)).toBe(false);
    } finally {
      other.close();
    }
  });
});

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
