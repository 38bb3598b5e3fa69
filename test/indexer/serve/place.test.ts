import { expect, it } from "vitest";
import { placeOf } from "../../../indexer/serve/inside/place.ts";

const PLACES = { weur: { latitude: 52, longitude: 5 }, apac: { latitude: 22, longitude: 114 } };
const CONTEXT = { waitUntil: () => undefined };

/** A namespace whose objects say where they are and what they are called. */
function shards(region: string) {
  return {
    idFromName: (name: string) => `${region}:${name}`,
    get: (id: unknown) => ({
      id,
      fetch: async (path: string) => `${String(id)} ${path}`,
      propose: async (...given: readonly number[]) => [String(id), ...given],
    }),
  };
}

type Namespace = {
  idFromName(name: string): unknown;
  get(id: unknown, options?: object): Record<string, (...given: readonly unknown[]) => Promise<unknown>>;
};

/** A place, and what came to the Worker in it. */
function place(here: string, more: Record<string, unknown> = {}) {
  const seen: { request: Request; env: Readonly<Record<string, unknown>> }[] = [];
  const asked: string[] = [];
  const looked: string[] = [];
  const cut = new Set<string>();
  const inside = placeOf({
    async fetch(request, env) {
      seen.push({ request, env });
      return Response.json({ at: here });
    },
  });
  const env = {
    LOCAL_PLACE: here,
    LOCAL_PLACES: PLACES,
    LINK: {
      fetch: async (way: string) => {
        asked.push(way);
        return new Response(null, { status: cut.has(way.split("/").at(-1)!) ? 503 : 204 });
      },
    },
    LOCAL_ISOLATES: 2,
    SERVER: {
      fetch: async (path: string) => {
        looked.push(path);
        return new Response(path.endsWith("a") ? "0" : "1");
      },
    },
    SHARDS_weur_0: shards("weur 0"),
    SHARDS_weur_1: shards("weur 1"),
    SHARDS_apac_0: shards("apac 0"),
    ...more,
  };
  const fetch = (path: string, headers = {}) =>
    inside.fetch(new Request(`http://edge.test${path}`, { headers }), env, CONTEXT);
  const namespace = async (): Promise<Namespace> => {
    await fetch("/health");
    return seen.at(-1)!.env.SHARDS as Namespace;
  };
  return { fetch, seen, asked, looked, cut, namespace };
}

it("hands the request on, and one environment for the life of the isolate", async () => {
  const { fetch, seen } = place("weur");
  expect(await (await fetch("/v1/indexes?x=1", { accept: "a" })).json()).toEqual({ at: "weur" });
  await fetch("/health");
  expect([seen[0]!.request.url, seen[0]!.request.headers.get("accept")]).toEqual([
    "http://edge.test/v1/indexes?x=1",
    "a",
  ]);
  expect(seen[0]!.env).toBe(seen[1]!.env);
});

it("sends a request to the place that it names, and refuses one that is none", async () => {
  const there: Request[] = [];
  const PLACE_apac = {
    async fetch(request: Request) {
      there.push(request);
      return new Response("apac");
    },
  };
  const { fetch, seen } = place("weur", { PLACE_apac });
  expect(await (await fetch("/health", { "x-lightedge-from": "apac" })).text()).toBe("apac");
  expect([there.length, seen.length]).toEqual([1, 0]);
  for (const name of ["mars", "toString", ""]) {
    const answer = await fetch("/health", { "x-lightedge-from": name });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("one of weur, apac")]);
  }
  expect((await fetch("/health", { "x-lightedge-from": "weur" })).status).toBe(200);
  expect(seen.length).toBe(1);
});

it("finds shard objects in the region of their hint, at home without one, each call after its way", async () => {
  const { namespace, asked } = place("weur");
  const all = await namespace();
  const far = all.get(all.idFromName("a"), { locationHint: "apac" });
  expect(await far.fetch!("/x")).toBe("apac 0:a /x");
  expect(await far.propose!(1, 2)).toEqual(["apac 0:a", 1, 2]);
  expect(await all.get(all.idFromName("b")).fetch!("/y")).toBe("weur 1:b /y");
  expect(asked).toEqual(["http://link/weur/apac", "http://link/weur/apac", "http://link/weur/weur"]);
});

it("fails as a lost connection does where a region is cut, and does not call", async () => {
  const { namespace, cut } = place("weur");
  const all = await namespace();
  const far = all.get(all.idFromName("a"), { locationHint: "apac" });
  cut.add("apac");
  await expect(far.fetch!("/x")).rejects.toMatchObject({
    message: "Network connection lost.",
    retryable: true,
  });
  cut.clear();
  expect(await far.fetch!("/x")).toBe("apac 0:a /x");
});

it("is no promise, though a stub has every name", async () => {
  const { namespace } = place("weur");
  const all = await namespace();
  const stub = all.get(all.idFromName("a"));
  expect(await Promise.resolve(stub)).toBe(stub);
  expect(stub.name).toBe("a");
});

it("offers the control of faults where there is one, and says so to those who ask for regions", async () => {
  const CONTROL = { fetch: async () => new Response("faults") };
  const local = place("weur", { CONTROL });
  expect(await (await local.fetch("/local/faults")).text()).toBe("faults");
  expect((await local.fetch("/v1/regions")).headers.get("x-lightedge-faults")).toBe("/local/faults");
  expect((await local.fetch("/health")).headers.get("x-lightedge-faults")).toBeNull();
  const without = place("weur");
  expect(await (await without.fetch("/local/faults")).json()).toEqual({ at: "weur" });
  expect((await without.fetch("/v1/regions")).headers.get("x-lightedge-faults")).toBeNull();
});
