/** What the processes of a schedule do, each by the functions of the product, and what they make of the outcome. */
import { type PublishPorts, readPointer } from "../../indexer/store/publish.ts";
import { type Published, Publisher, publishVersion } from "../../indexer/store/publish-version.ts";
import { rollback } from "../../indexer/store/rollback.ts";
import { asLightedgeError } from "../../shared/errors.ts";
import { loadManifest } from "../../shared/format/load.ts";
import type { ReadStore, WriteStore } from "../../shared/store/store.ts";
import { collectGarbage } from "../../shared/versions/gc.ts";
import { type Change, changed, NOTHING, putContent, readContent, spelled } from "./content.ts";
import type { Life } from "./life.ts";
import type { Intent } from "./model.ts";
import type { World } from "./world.ts";

/** A run that changes documents: reads the version before, puts what is new, commits. */
export async function publish(
  world: World,
  life: Life,
  store: WriteStore,
  index: string,
  change: Change,
  localTime: () => Date,
): Promise<void> {
  const intent: Intent = (before) => changed(before.at(-1) ?? NOTHING, change);
  const base = await readPointer(store, index);
  const manifest = base === null ? null : await loadManifest(store, base.pointer.manifest);
  const content = manifest === null ? NOTHING : await readContent(store, manifest);
  const wanted = changed(content, change);
  const known = change.table === undefined ? manifest : null;
  const next = await putContent(new Publisher(store), index, wanted, known);
  await committing(world, life, index, intent, (ports) =>
    publishVersion(store, next, base, localTime(), ports),
  );
}

/** A run that makes the content of the version `back` before the current one current again. */
export async function goBack(
  world: World,
  life: Life,
  store: WriteStore,
  index: string,
  back: number,
  localTime: () => Date,
): Promise<void> {
  const current = await readPointer(store, index);
  if (current === null || current.pointer.seq <= back) return;
  const seq = current.pointer.seq - back;
  const intent: Intent = (before) => before[seq - 1] ?? NOTHING;
  await committing(world, life, index, intent, (ports) =>
    rollback(store, index, String(seq), localTime(), ports),
  );
}

/** Commits, and tells the model what the run was told. */
async function committing(
  world: World,
  life: Life,
  index: string,
  intent: Intent,
  work: (ports: PublishPorts) => Promise<Published>,
): Promise<void> {
  try {
    const { version, changed: isNew } = await work(world.publishPorts(life, index, intent));
    const seq = Number(version.split("-")[0]);
    world.scheduler.note(`${life.name} ${isNew ? "publishes" : "finds"} ${version}`);
    if (isNew) world.model.acknowledged(index, seq, intent);
    else world.model.unchanged(index, seq, intent);
  } catch (error) {
    if (asLightedgeError(error).code === "store/conflict") world.model.refused(index, intent);
    throw error;
  }
}

/** A garbage collection of the whole store. */
export async function collect(world: World, life: Life, store: WriteStore): Promise<void> {
  const ports = {
    ...world.drawingPorts(life),
    // Passes with the store's clock, from another point.
    monotonic: () => world.scheduler.now - 1_000_000,
  };
  const { deleted } = await collectGarbage(store, world.retention, ports);
  world.scheduler.note(`${life.name} deletes ${deleted.length} objects`);
}

/** A reader that holds on to the version it found, and reads it bit by bit, `dwellMs` before each. */
export async function read(
  world: World,
  life: Life,
  store: WriteStore,
  index: string,
  dwellMs: number,
  clean: boolean,
): Promise<void> {
  const pinned = world.scheduler.now;
  const current = await readPointer(store, index);
  if (current === null) return;
  const { manifest: reference, seq } = current.pointer;
  const slow: ReadStore = {
    get: async (key) => {
      await life.pause(dwellMs);
      return store.get(key);
    },
    getRange: (key, offset, length) => store.getRange(key, offset, length),
    head: (key) => store.head(key),
  };
  try {
    const content = await readContent(slow, await loadManifest(slow, reference));
    const expected = world.model.contentOf(index, reference.sha256);
    if (expected === undefined || spelled(content) !== spelled(expected)) {
      world.broken(`${life.name} read a mixture for ${index} version ${seq}.`);
    }
  } catch (error) {
    const { code, message } = asLightedgeError(error);
    const held = world.scheduler.now - pinned;
    const promised = clean && code === "blob/missing" && held < world.retention.graceMs;
    if (promised) world.broken(`${life.name} lost ${index} version ${seq} after ${held} ms: ${message}`);
    else throw error;
  }
}
