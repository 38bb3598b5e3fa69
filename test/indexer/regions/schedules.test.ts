/** A home and two regions through schedules at random: published, rolled back, collected, replicated, cut off, killed, time passing. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { replicate } from "../../../indexer/regions/replicate.ts";
import { collectGarbage } from "../../../indexer/store/gc.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import type { Manifest } from "../../../shared/format/manifest.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { WriteStore } from "../../../shared/store/store.ts";
import { readPointer } from "../../../shared/versions/current.ts";
import { readManifest } from "../../../shared/versions/history.ts";
import { SWEEP_OVER_MS } from "../../../shared/versions/times.ts";
import { breakAt } from "../../helpers/fault-plan.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { audit, GRACE, HOUR, textsOf, VersionsWorld } from "../../helpers/versions.ts";
import { digestInPlace } from "../../sim/sync-digest.ts";

beforeAll(() => digestInPlace());

const TEXTS = ["one", "two", "three", "four", "five"];

type Event =
  | { readonly kind: "publish"; readonly texts: readonly string[] }
  | { readonly kind: "rollback"; readonly back: number }
  | { readonly kind: "collect"; readonly where: number; readonly keep: number }
  | {
      readonly kind: "replicate";
      readonly where: number;
      readonly dies: number | null;
      readonly at: "home" | "region";
    }
  | { readonly kind: "pass"; readonly ms: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constant("publish" as const),
    texts: fc.uniqueArray(fc.constantFrom(...TEXTS), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("rollback" as const), back: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant("collect" as const),
    where: fc.integer({ min: 0, max: 2 }),
    keep: fc.integer({ min: 1, max: 3 }),
  }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("replicate" as const),
      where: fc.integer({ min: 1, max: 2 }),
      dies: fc.option(fc.nat({ max: 40 })),
      at: fc.constantFrom("home" as const, "region" as const),
    }),
  },
  fc.record({
    kind: fc.constant("pass" as const),
    ms: fc.constantFrom(1000, 5 * 60_000, GRACE, HOUR, 3 * HOUR),
  }),
);

/** What became of a region's versions. */
interface Kept {
  readonly store: MemoryStore;
  seq: number;
  /** Versions that were current here, and until when. */
  readonly left: { readonly manifest: Manifest; readonly at: number }[];
}

class Deployment {
  readonly world = new VersionsWorld();
  readonly regions: readonly Kept[] = [1, 2].map(() => ({
    store: new MemoryStore(() => this.world.now),
    seq: 0,
    left: [],
  }));
  /** The texts of each of home's versions, by number. */
  readonly texts = new Map<number, readonly string[]>();

  async act(event: Event): Promise<void> {
    const { world } = this;
    if (event.kind === "pass") world.pass(event.ms);
    if (event.kind === "publish") await world.publish(event.texts);
    if (event.kind === "rollback" && this.texts.size > event.back)
      await mayFail(world.rollback(String(Math.max(...this.texts.keys()) - event.back)));
    if (event.kind === "collect") {
      const store = event.where === 0 ? world.store : this.regions[event.where - 1]!.store;
      await mayFail(collectGarbage(store, { graceMs: GRACE, keep: event.keep }, world.gcPorts));
      // What a collection has sent off has landed before the next event.
      world.pass(SWEEP_OVER_MS);
    }
    if (event.kind === "replicate") {
      const region = this.regions[event.where - 1]!;
      const dying = (store: WriteStore, here: boolean) =>
        here && event.dies !== null ? new FaultStore(store, breakAt(event.dies, "crash")) : store;
      await mayFail(
        replicate(
          {
            home: dying(world.store, event.at === "home"),
            region: dying(region.store, event.at === "region"),
            index: "docs",
            verify: "new",
          },
          world.ports,
        ),
      );
    }
    const stored = await readPointer(world.store, "docs");
    if (stored !== null) this.texts.set(stored.pointer.seq, (await world.texts())!);
    for (const region of this.regions) await this.look(region);
  }

  async look(region: Kept): Promise<void> {
    const stored = await readPointer(region.store, "docs");
    const seq = stored?.pointer.seq ?? 0;
    expect(seq).toBeGreaterThanOrEqual(region.seq);
    expect(await audit(region.store)).toEqual([]);
    if (stored !== null) {
      const { manifest } = (await readManifest(region.store, "docs", stored.pointer.manifest.sha256))!;
      expect(await textsOf(region.store, manifest)).toEqual(this.texts.get(seq));
      if (seq > region.seq) region.left.push({ manifest, at: Number.POSITIVE_INFINITY });
      const left = region.left.at(-2);
      if (seq > region.seq && left !== undefined)
        region.left[region.left.length - 2] = { ...left, at: this.world.now };
    }
    region.seq = seq;
    // Readers hold a version for the grace after it was replaced.
    for (const { manifest, at } of region.left)
      if (this.world.now - at < GRACE) await textsOf(region.store, manifest);
  }
}

async function mayFail(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof LightedgeError) || error.code === "internal") throw error;
  });
}

describe("regions, through any schedule", () => {
  it("are whole, never go back, hold what home had under that number, and keep what is left for its readers", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 30 }), async (events) => {
        const deployment = new Deployment();
        await deployment.act({ kind: "publish", texts: ["one"] });
        for (const each of events) await deployment.act(each);
        // And whatever has happened, one run that nothing disturbs brings all of them to home's version.
        for (const where of [1, 2])
          await deployment.act({ kind: "replicate", where, dies: null, at: "home" });
        const home = (await readPointer(deployment.world.store, "docs"))!.pointer;
        for (const { store } of deployment.regions)
          expect((await readPointer(store, "docs"))?.pointer.manifest).toEqual(home.manifest);
      }),
      { numRuns: Number(process.env.LIGHTEDGE_SCHEDULES ?? 150) },
    );
  });
});
