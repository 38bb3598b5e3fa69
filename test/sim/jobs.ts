/** What the processes of a schedule do, each by the functions of the product, and what they make of the outcome. */
import { commit, readPointer } from "../../indexer/store/publish.ts";
import { Publisher } from "../../indexer/store/publish-version.ts";
import { asLightedgeError } from "../../shared/errors.ts";
import { bindingHash } from "../../shared/format/binding.ts";
import { loadManifest } from "../../shared/format/load.ts";
import { type Manifest, parseManifest, serializeManifest } from "../../shared/format/manifest.ts";
import type { Sha256 } from "../../shared/hash.ts";
import type { ReadStore, WriteStore } from "../../shared/store/store.ts";
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
): Promise<"done" | "failed"> {
  const intent: Intent = (before) => changed(before.at(-1) ?? NOTHING, change);
  const base = await readPointer(store, index);
  const manifest = base === null ? null : await loadManifest(store, base.pointer.manifest);
  const content = manifest === null ? NOTHING : await readContent(store, manifest);
  const next = await putContent(
    new Publisher(store),
    index,
    changed(content, change),
    change.table === undefined ? manifest : null,
  );
  const written: Manifest = {
    format: 1,
    created: localTime().toISOString(),
    parent: (base?.pointer.manifest.sha256 ?? null) as Sha256 | null,
    binding: await bindingHash({
      encoder: next.model.encoder,
      dimension: 1,
      vocabulary: 1,
      tokenizer: next.blobs[0]!.sha256,
      tables: [next.tasks[0]!.table],
    }),
    ...next,
  };
  const bytes = serializeManifest(written);
  parseManifest(bytes);
  const outcome = await commit(
    store,
    index,
    { manifest: bytes, blobs: next.blobs, base },
    world.portsOf(life, index, intent),
  );
  world.scheduler.note(`${life.name} ${outcome.kind}`);
  if (outcome.kind === "committed") world.model.acknowledged(index, outcome.pointer.seq, intent);
  if (outcome.kind === "conflict") world.model.refused(index, intent);
  return outcome.kind === "committed" ? "done" : "failed";
}

/** A reader that holds on to the version it found, and reads it bit by bit. */
export async function read(
  world: World,
  life: Life,
  store: WriteStore,
  index: string,
  dwell: () => number,
  clean: boolean,
): Promise<void> {
  const pinned = world.scheduler.now;
  const current = await readPointer(store, index);
  if (current === null) return;
  const { manifest: reference, seq } = current.pointer;
  const slow: ReadStore = {
    get: async (key) => {
      await life.pause(dwell());
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
    const promised = clean && code.startsWith("blob/") && held < world.retention.graceMs;
    if (promised) world.broken(`${life.name} lost ${index} version ${seq} after ${held} ms: ${message}`);
    else throw error;
  }
}
