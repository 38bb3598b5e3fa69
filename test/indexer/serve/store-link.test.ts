import { Request as WorkerdRequest } from "miniflare";
import { expect, it } from "vitest";
import { FaultBoard, faultOrderOf } from "../../../indexer/serve/faults.ts";
import { distantStore, nearStore } from "../../../indexer/serve/store-link.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";

const REGIONS = ["weur", "enam"];

async function world() {
  const store = new MemoryStore();
  await store.put("blobs/a", new Uint8Array([1, 2, 3]));
  const board = new FaultBoard(REGIONS, (from, to) => (from === to ? 2 : 95));
  const waited: number[] = [];
  const dice: number[] = [];
  const ports = {
    pause: async (ms: number) => void waited.push(ms),
    random: () => dice.shift() ?? 0.999,
  };
  const service = distantStore(store, board, ["weur", "enam"], ports);
  const read = () => service(new WorkerdRequest("http://store/blobs/a"));
  return {
    store,
    board,
    waited,
    dice,
    read,
    order: (value: object) => board.apply(faultOrderOf(value, REGIONS)),
  };
}

it("answers after the round trip, as the store right here does", async () => {
  const { store, waited, read } = await world();
  const [far, near] = [await read(), await nearStore(store)(new WorkerdRequest("http://store/blobs/a"))];
  expect(waited).toEqual([95]);
  expect([...new Uint8Array(await far.arrayBuffer())]).toEqual([1, 2, 3]);
  expect([far.status, [...far.headers]]).toEqual([near.status, [...near.headers]]);
});

it("takes longer where its region is slowed, and fails where it is cut", async () => {
  const { waited, read, order } = await world();
  order({ region: "enam", slow_ms: 300 });
  expect((await read()).status).toBe(200);
  order({ region: "enam", cut: "refuse" });
  expect((await read()).status).toBe(503);
  order({ region: "enam", heal: true });
  expect((await read()).status).toBe(200);
  expect(waited).toEqual([395, 395, 95]);
});

it("is not touched by what is wrong with the region that asks", async () => {
  const { waited, read, order } = await world();
  order({ region: "weur", cut: "refuse", slow_ms: 300, store_error_rate: 1 });
  expect((await read()).status).toBe(200);
  expect(waited).toEqual([95]);
});

it("fails as often as it is told to", async () => {
  const { dice, read, order } = await world();
  order({ store_error_rate: 0.25 });
  dice.push(0, 0.2499, 0.25, 0.9);
  const statuses: number[] = [];
  for (let at = 0; at < 4; at++) statuses.push((await read()).status);
  expect(statuses).toEqual([503, 503, 200, 200]);
});

it("says nothing while its region hangs, and answers when that is over", async () => {
  const { read, order } = await world();
  order({ region: "enam", cut: "hang" });
  let status = 0;
  const answer = read().then((found) => (status = found.status));
  await new Promise((resolve) => setImmediate(resolve));
  expect(status).toBe(0);
  order({ region: "enam", heal: true });
  expect(await answer).toBe(200);
});
