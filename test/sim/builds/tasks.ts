/** What the processes of a schedule over real indexes do, by the functions of the product. */

import type { PublishPorts } from "../../../indexer/store/publish.ts";
import type { Published } from "../../../indexer/store/publish-version.ts";
import { rollback } from "../../../indexer/store/rollback.ts";
import { asLightedgeError } from "../../../shared/errors.ts";
import { type InboxEntry, serializeInboxEntry } from "../../../shared/format/inbox.ts";
import { inboxKey, type WriteId } from "../../../shared/format/names.ts";
import { toHex } from "../../../shared/hash.ts";
import type { WriteStore } from "../../../shared/store/store.ts";
import { readPointer } from "../../../shared/versions/current.ts";
import { collectGarbage } from "../../../shared/versions/gc.ts";
import type { Life } from "../life.ts";
import { indexTiny } from "../tiny.ts";
import { answerOf, INDEX, type Run } from "./museum.ts";
import type { Task } from "./plan.ts";
import type { Scene } from "./simulate.ts";

/** Brings the index up to date with what the source holds when it is read. */
export async function build(
  scene: Scene,
  life: Life,
  store: WriteStore,
  { rebuild }: Extract<Task, { readonly kind: "build" }>,
): Promise<void> {
  const { world, plan, museum } = scene;
  const { now } = world.scheduler;
  const { documents } = plan.source.findLast(({ atMs }) => world.started + atMs <= now) ?? plan.source[0]!;
  const run: Run = { kind: "build", source: documents, acknowledged: museum.acknowledged };
  const ports = portsOf(scene, life, run);
  await told(scene, life, run, () =>
    indexTiny(store, documents, {
      rebuild,
      allowShrink: true,
      ports,
      random: (length) => ports.randomBytes(length + 1).subarray(1),
      now: () => new Date(now),
    }),
  );
}

/** Makes the version `back` before the current one current again. */
export async function rollBack(scene: Scene, life: Life, store: WriteStore, back: number): Promise<void> {
  const current = await readPointer(store, INDEX);
  if (current === null || current.pointer.seq <= back) return;
  const run: Run = { kind: "roll back", seq: current.pointer.seq - back };
  const date = new Date(scene.world.scheduler.now);
  await told(scene, life, run, () =>
    rollback(store, INDEX, String(run.seq), date, portsOf(scene, life, run)),
  );
}

/** Writes a document at the edge. */
export async function write(
  { world, museum, random }: Scene,
  store: WriteStore,
  { id, text }: Extract<Task, { readonly kind: "write" }>,
): Promise<void> {
  const bits = () => random.bits().toString(16).padStart(8, "0");
  const name = `${String(world.scheduler.now).padStart(13, "0")}-${bits()}${bits()}` as WriteId;
  const entry: InboxEntry =
    text === null
      ? { write: name, index: INDEX, id, op: "delete" }
      : { write: name, index: INDEX, id, op: "put", fields: { text } };
  const sent = { entry, place: Number.POSITIVE_INFINITY };
  museum.writes.push(sent);
  const { kind } = await store.putIfAbsent(inboxKey(INDEX, name), await serializeInboxEntry(entry));
  if (kind === "written") sent.place = museum.acknowledged;
}

/** Collects garbage. */
export async function collect({ world }: Scene, life: Life, store: WriteStore): Promise<void> {
  const ports = { ...world.drawingPorts(life), monotonic: () => world.scheduler.now };
  const { deleted } = await collectGarbage(store, world.retention, ports);
  world.scheduler.note(`${life.name} deletes ${deleted.length} objects`);
}

/** Opens the index, bit by bit, and asks it something. */
export async function readNow({ told: answers }: Scene, store: WriteStore, q: string): Promise<void> {
  const answer = await answerOf(store, q);
  answers.push({ seq: Number.parseInt(JSON.parse(answer)[0], 10), q, answer });
}

function portsOf({ world, museum }: Scene, life: Life, run: Run): PublishPorts {
  const ports = world.drawingPorts(life);
  return {
    ...ports,
    randomBytes: (length) => {
      const bytes = ports.randomBytes(length);
      museum.drawn(toHex(bytes), run);
      return bytes;
    },
  };
}

/** Does what commits, and holds what it says against what happened. */
async function told(
  { world, museum }: Scene,
  life: Life,
  run: Run,
  work: () => Promise<Published>,
): Promise<void> {
  try {
    const { version, changed } = await work();
    world.scheduler.note(`${life.name} ${changed ? "publishes" : "finds"} ${version}`);
    if (changed) museum.told(Number.parseInt(version, 10), run);
  } catch (error) {
    if (asLightedgeError(error).code === "store/conflict") museum.refused(run);
    throw error;
  }
}
