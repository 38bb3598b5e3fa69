import { describe, expect, it } from "vitest";
import { readClock } from "../../../shared/versions/clock.ts";
import { noteSkipped, readSkipped } from "../../../shared/versions/skipped.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { HookStore } from "../../helpers/hook-store.ts";
import { VersionsWorld } from "../../helpers/versions.ts";

describe("versions that were passed over", () => {
  it("are noted by index, and never fewer of them", async () => {
    const { store, ports } = new VersionsWorld();
    expect(await readSkipped(store)).toEqual({});
    await noteSkipped(store, "docs", 4, ports);
    await noteSkipped(store, "news", 1, ports);
    await noteSkipped(store, "docs", 2, ports);
    expect(await readSkipped(store)).toEqual({ docs: 4, news: 1 });
  });

  it("count as let go of by collections", async () => {
    const { store, ports } = new VersionsWorld();
    await noteSkipped(store, "docs", 4, ports);
    expect(await readClock(store)).toEqual({ released: { docs: 4 }, current: {}, etag: null });
  });

  it("are noted beside another who notes at the same moment, at any operation", async () => {
    for (let at = 0; at < 2; at++)
      for (const after of [false, true]) {
        const { store, ports } = new VersionsWorld();
        const work = () => noteSkipped(store, "news", 2, ports);
        await noteSkipped(new HookStore(store, { at, after, work }), "docs", 4, ports);
        expect(await readSkipped(store)).toEqual({ docs: 4, news: 2 });
      }
  });

  it("are noted where an answer is lost, and said not to be where the store is down", async () => {
    for (const fault of ["fail before", "fail after"] as const) {
      const { store, ports } = new VersionsWorld();
      await noteSkipped(new FaultStore(store, 1, fault), "docs", 4, ports);
      expect(await readSkipped(store)).toEqual({ docs: 4 });
    }
    const { store, ports } = new VersionsWorld();
    const down = new FaultStore(store, ({ method }) => (method === "get" ? null : { fault: "fail before" }));
    await expect(noteSkipped(down, "docs", 4, ports)).rejects.toMatchObject({ code: "store/unavailable" });
  });
});
