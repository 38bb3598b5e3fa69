import { afterEach, describe, expect, it } from "vitest";
import {
  type Controlled,
  controlResponse,
  type ListeningControl,
  listenForControl,
} from "../../../indexer/serve/control.ts";
import { FaultBoard } from "../../../indexer/serve/faults.ts";

const HEALTHY = { cut: null, slow_ms: 0, store_error_rate: 0 };

function controlled(fails: string[] = []): Controlled & { readonly done: string[] } {
  const done: string[] = [];
  const act = async (what: string) => {
    if (fails.includes(what)) throw new Error("secret");
    done.push(what);
  };
  return {
    done,
    board: new FaultBoard(["weur", "enam"], () => 0),
    home: "weur",
    spread: () => act("spread"),
    evict: (region) => act(`evict ${region ?? "all"}`),
    restart: () => act("restart"),
  };
}

const listening: ListeningControl[] = [];
afterEach(async () => {
  for (const control of listening.splice(0)) await control.close();
});

async function listen(
  over = controlled(),
): Promise<(init?: RequestInit, path?: string) => Promise<Response>> {
  const control = await listenForControl(over, 0);
  listening.push(control);
  return (init = {}, path = "/faults") => fetch(control.url + path, init);
}

const post = (body: unknown, type = "application/json"): RequestInit => ({
  method: "POST",
  headers: { "content-type": type },
  body: typeof body === "string" ? body : JSON.stringify(body),
});

describe("the control", () => {
  it("says what is wrong with each region, and takes orders", async () => {
    const over = controlled();
    const ask = await listen(over);
    expect(await (await ask()).json()).toEqual({ home: "weur", regions: { weur: HEALTHY, enam: HEALTHY } });
    const answer = await ask(post({ region: "enam", cut: "hang", evict: true }));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ regions: { weur: HEALTHY, enam: { cut: "hang" } } });
    expect(over.done).toEqual(["spread", "evict enam"]);
  });

  it("restarts when all else is done", async () => {
    const over = controlled();
    const ask = await listen(over);
    expect((await ask(post({ heal: true, evict: true, restart: true }))).status).toBe(200);
    expect(over.done).toEqual(["spread", "evict all", "restart"]);
  });

  it.each([
    ["what is no JSON", post("{"), 400, "body must be JSON"],
    ["what is no UTF-8", { ...post(""), body: new Uint8Array([0x22, 0xff, 0x22]) }, 400, "body must be JSON"],
    ["a type that any page may send", post({ heal: true }, "text/plain"), 400, "application/json"],
    ["more than an order can be", post(" ".repeat(5000)), 413, "at most 4096 bytes"],
    ["an order that makes no sense", post({ region: "mars", cut: "refuse" }), 400, "weur, enam"],
  ])("refuses %s and does nothing", async (_, init, status, words) => {
    const over = controlled();
    const ask = await listen(over);
    const answer = await ask(init);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(words);
    expect(over.done).toEqual([]);
    expect(over.board.regions).toEqual({ weur: HEALTHY, enam: HEALTHY });
  });

  it("answers at one path and by two methods", async () => {
    const ask = await listen();
    expect((await ask({}, "/")).status).toBe(404);
    expect((await ask({}, "/faults?region=weur")).status).toBe(404);
    const answer = await ask({ method: "DELETE" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, POST"]);
  });

  it("says that something failed without saying what to strangers", async () => {
    const ask = await listen(controlled(["evict all"]));
    const answer = await ask(post({ evict: true }));
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("secret");
  });

  it("names the port that another program holds", async () => {
    const first = await listenForControl(controlled(), 0);
    listening.push(first);
    const port = Number(new URL(first.url).port);
    await expect(listenForControl(controlled(), port)).rejects.toMatchObject({
      code: "usage/invalid",
      details: { field: "control", value: String(port) },
    });
  });
});

it("is not to restart workerd for those whose request would die with it", async () => {
  const over = controlled();
  const request = new Request("http://edge.test/local/faults", post({ restart: true }));
  const answer = await controlResponse(over, request, false);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { field: "restart" } });
  expect(over.done).toEqual([]);
});
