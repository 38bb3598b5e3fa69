/**
 * Load on a deployment while everything happens to it, every answer judged. Faults, evictions, runs and cuts are drawn from
 * a seed; how they fall together with requests is up to the machine.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Random } from "../../indexer/random.ts";
import type { RegionName } from "../../shared/regions/region.ts";
import { type Asked, ask } from "../regions/client.ts";
import { Auditor, type Verdict } from "./audit.ts";
import { DocumentScales } from "./documents.ts";
import { drawQuestion, drawSearches, type Question, requestOf, type SearchQuestion } from "./questions.ts";
import { type Reindexed, Reindexer } from "./reindexer.ts";
import { ChangingSource, drawQuery } from "./source.ts";
import { StoredVersions } from "./stored.ts";
import { type Stretch, Tally } from "./tally.ts";
import { startWorld, type World } from "./world.ts";

/** What a soak does, and how hard. */
export interface SoakSettings {
  readonly seed: number;
  readonly seconds: number;
  /** Folder of the regions' stores. */
  readonly folder: string;
  readonly regions: readonly RegionName[];
  readonly documents: number;
  readonly shardChunks: number;
  readonly residentBytes: number;
  /** Connections that ask, all the time, from each region in turn. */
  readonly connections: number;
  /** Share of store operations that fail. */
  readonly failing: number;
  /** Seconds between two evictions of all shard objects, two runs of the indexer, and two cuts of a region. */
  readonly evictEveryS: number;
  readonly reindexEveryS: number;
  readonly cutEveryS: number;
  /** Seconds that a cut lasts. */
  readonly cutForS: number;
  readonly latency: boolean;
  /** Seconds of a line of the log. */
  readonly stretchS: number;
  /** Takes each line of the log. */
  onStretch?(stretch: Stretch): void;
  /** Takes a word on what happens. */
  note?(text: string): void;
}

/** Questions that are asked at any time, and how many others take their place with each version. */
const QUESTIONS = 60;

/** Evictions under way at once: one waits for an object that is at a call. */
const EVICTIONS_AT_ONCE = 4;

const INDEX = "soak";

/** Runs a soak. Throws where the deployment does not start or a run of the indexer fails; what answers say is in the lines. */
export async function soak(settings: SoakSettings): Promise<readonly Stretch[]> {
  const { seed, folder, regions, documents, shardChunks, residentBytes, failing, latency } = settings;
  const stores = regions.map((region) => ({ region, url: `file:${folder}/${region}` }));
  const reindexer = new Reindexer({
    seed,
    index: INDEX,
    documents,
    shardChunks,
    stores,
    failing: failing / 5,
  });
  let world: World | undefined;
  try {
    const first = await reindexer.run();
    world = await startWorld({ seed, index: INDEX, stores, residentBytes, failing, latency });
    const run = new Soak(settings, world, reindexer);
    await run.publish(first);
    return await run.go();
  } catch (error) {
    // Told before the deployment is closed, which may take its time.
    settings.note?.(`ended: ${error instanceof Error ? error.stack : String(error)}`);
    throw error;
  } finally {
    await reindexer.close();
    await world?.close();
  }
}

class Soak {
  readonly #settings: SoakSettings;
  readonly #world: World;
  readonly #reindexer: Reindexer;
  readonly #random: Random;
  /** The indexer's source once more: what each run read is known without asking it. */
  readonly #source: ChangingSource;
  readonly #ids: readonly string[];
  readonly #auditor = new Auditor();
  readonly #stored: StoredVersions;
  readonly #scales: DocumentScales;
  readonly #tally = new Tally();
  readonly #stretches: Stretch[] = [];
  /** When each version was replaced at home, in ms; infinity for the newest. */
  readonly #replaced = new Map<string, number>();
  readonly #cut = new Set<RegionName>();
  /** Answers of versions that are not known yet. */
  #early: { readonly question: Question; readonly asked: Asked }[] = [];
  #searches: readonly SearchQuestion[] = [];
  #newest = "";
  #over = false;
  #evicting = 0;
  readonly #failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;

  constructor(settings: SoakSettings, world: World, reindexer: Reindexer) {
    this.#settings = settings;
    this.#world = world;
    this.#reindexer = reindexer;
    this.#random = new Random(settings.seed + 2);
    this.#source = new ChangingSource(settings.seed, settings.documents);
    this.#stored = new StoredVersions(world.home);
    this.#scales = new DocumentScales(world.home);
    this.#ids = this.#source.lasting();
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
  }

  /** Makes a version known to the auditor. */
  async publish({ run, pointer, reached, tries, plan }: Reindexed): Promise<void> {
    if (run > 0) this.#source.change();
    const stored = await this.#stored.read(pointer);
    if (stored.version === this.#newest) return;
    const documents = this.#source.state();
    const queries = [drawQuery(this.#random), drawQuery(this.#random)];
    for (const what of [
      ...this.#auditor.publish(stored, documents),
      ...(await this.#scales.differences(stored, documents, queries)),
    ])
      this.#tally.wrong(what);
    if (this.#newest !== "") this.#replaced.set(this.#newest, performance.now());
    this.#newest = stored.version;
    this.#searches = drawSearches(this.#random, QUESTIONS);
    this.#tally.add("published");
    const where = `${stored.shards.length} shards, in ${reached.join(", ")} after ${tries} tries`;
    this.#settings.note?.(`published ${stored.version} (${plan}): ${where}`);
    const early = this.#early;
    this.#early = [];
    for (const { question, asked } of early) this.#judge(question, asked);
  }

  async go(): Promise<readonly Stretch[]> {
    const { seconds, connections, evictEveryS, reindexEveryS, cutEveryS, stretchS } = this.#settings;
    const clients = Array.from({ length: connections }, (_, at) => this.#client(at));
    const started = performance.now();
    let line = started;
    const endStretch = () => {
      const now = performance.now();
      const stretch = this.#tally.end((now - started) / 1000, (now - line) / 1000);
      line = now;
      this.#stretches.push(stretch);
      this.#settings.onStretch?.(stretch);
    };
    const jobs = [
      this.#every(evictEveryS, () => this.#evict()),
      this.#every(reindexEveryS, async () => this.publish(await this.#reindexer.run([...this.#cut]))),
      this.#every(cutEveryS, () => this.#cutOne()),
      this.#every(stretchS, async () => endStretch()),
    ];
    // A job that fails ends the soak; waiting for the time to be over must not hide it.
    try {
      await Promise.race([pause(seconds * 1000), Promise.all(jobs), this.#failed]);
    } finally {
      this.#over = true;
    }
    await Promise.all([...clients, ...jobs]);
    // Whatever is still unknown was never published.
    for (const { question, asked } of this.#early) this.#judge(question, asked, true);
    endStretch();
    return this.#stretches;
  }

  async #every(everyS: number, job: () => Promise<void>): Promise<void> {
    let next = performance.now() + everyS * 1000;
    while (!this.#over) {
      const wait = next - performance.now();
      await pause(Math.min(200, Math.max(0, wait)));
      if (this.#over || wait > 0) continue;
      await job();
      next = Math.max(next + everyS * 1000, performance.now());
    }
  }

  /** Not waited for: an object that hangs on a cut store is evicted when it is done, and the others must not wait for it. */
  async #evict(): Promise<void> {
    if (this.#evicting >= EVICTIONS_AT_ONCE) return;
    this.#evicting++;
    void this.#world.evict().then(() => {
      this.#evicting--;
      this.#tally.add("evictions");
    }, this.#fail);
  }

  async #cutOne(): Promise<void> {
    const region = this.#random.pick(this.#settings.regions);
    const how = this.#random.pick(["refuse", "hang"] as const);
    this.#settings.note?.(`${region} is cut: ${how}`);
    this.#tally.add("cuts");
    this.#cut.add(region);
    await this.#world.cut(region, how);
    const until = performance.now() + this.#settings.cutForS * 1000;
    while (!this.#over && performance.now() < until) await pause(100);
    await this.#world.cut(region, null);
    this.#cut.delete(region);
    this.#settings.note?.(`${region} is healed`);
  }

  async #client(at: number): Promise<void> {
    const { regions, seed } = this.#settings;
    const random = new Random(seed + 1000 + at);
    let faults = this.#world.faults();
    while (!this.#over) {
      const question = drawQuestion(random, this.#searches, this.#ids);
      const asked = await ask(this.#world.url, random.pick(regions), requestOf(INDEX, question));
      this.#tally.add("requests");
      this.#tally.took(asked.ms);
      if (asked.attempts > 1) this.#tally.add("retried");
      if (at === 0) {
        this.#tally.add("store_faults", this.#world.faults() - faults);
        faults = this.#world.faults();
      }
      this.#judge(question, asked);
    }
  }

  #judge(question: Question, asked: Asked, last = false): void {
    const { answer, reason } = asked;
    if (answer === null) {
      // Silence is no answer: an overloaded or cut region has to say so.
      this.#tally.add("silent");
      this.#tally.wrong(`no answer to ${JSON.stringify(question)}: ${reason}`);
      return;
    }
    const verdicts = this.#auditor.judge(question, answer);
    if (!last && verdicts.some(({ kind }) => kind === "unknown version"))
      this.#early.push({ question, asked });
    else for (const verdict of verdicts) this.#count(verdict);
  }

  #count(verdict: Verdict): void {
    switch (verdict.kind) {
      case "right":
      case "partial": {
        const replaced = this.#replaced.get(verdict.version) ?? Number.POSITIVE_INFINITY;
        const stale = Math.max(0, (performance.now() - replaced) / 1000);
        this.#tally.answered(verdict.kind, verdict.region ?? "unnamed", verdict.version, stale);
        return;
      }
      case "error":
        this.#tally.error(verdict.code);
        return;
      case "wrong":
        this.#tally.wrong(verdict.what);
        return;
      case "unknown version":
        this.#tally.wrong(`the version ${verdict.version}, which nobody published`);
    }
  }
}
