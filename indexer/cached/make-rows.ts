/**
 * The rows of a table, made: what neither the folder nor the store has is run through the model, a block at a time,
 * and kept at once. A block's bytes depend on the plan and its number alone, so a run may be stopped anywhere, be
 * run twice or in parts, with the same files in the end. Memory: one pass and one block.
 */
import { LightedgeError } from "../../shared/errors.ts";
import { inTurns } from "../../shared/in-turns.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import type { Part } from "../encode/part.ts";
import type { Progress } from "../progress.ts";
import { emptyBlock, seal } from "./block-file.ts";
import { roundToHalves, singlesOf } from "./halves.ts";
import { RowFolder } from "./row-folder.ts";
import type { RowGraph } from "./row-graph.ts";
import { BLOCK, idsOf, type RowPlan } from "./row-plan.ts";
import { SharedRows } from "./shared-rows.ts";

/** Where rows are kept and what makes those that are missing. */
export interface RowPorts {
  /** Folder of caches. */
  readonly cache: string;
  /** A store whose blocks are taken, and that gets those it lacks where `share` says so. */
  readonly store?: WriteStore | undefined;
  readonly share?: boolean;
  /** Opens the model. Called once, and only if a block is missing. */
  open(plan: RowPlan): Promise<RowGraph>;
}

/** What became of the blocks of a part. */
export interface RowCounts {
  /** Blocks of this part. */
  readonly own: number;
  /** Made by the model, taken from the store, and put there. */
  readonly made: number;
  readonly fetched: number;
  readonly shared: number;
  /** Rows that the model gave. */
  readonly rows: number;
}

/** Blocks on their way from a store at once. */
const DOWNLOADS = 3;

/**
 * Makes the rows of a part, all of them where there is none. Throws `model/invalid` for a row that is not finite or too
 * great for half precision, naming its token, and for files of other rows.
 */
export async function makeRows(
  plan: RowPlan,
  part: Part | null,
  ports: RowPorts,
  progress: Progress,
): Promise<RowCounts> {
  const folder = new RowFolder(plan, ports.cache);
  const shared = ports.store === undefined ? null : new SharedRows(plan, ports.store);
  const share = ports.share === true ? shared : null;
  const stored = (await shared?.list()) ?? new Set<number>();
  const damaged = new Set<number>();
  const own = blocksOf(plan, part);
  const counts = { own: own.length, made: 0, fetched: 0, shared: 0, rows: 0 };

  const put = async (block: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
    if (share === null || (stored.has(block) && !damaged.has(block))) return;
    await share.put(block, bytes, damaged.has(block));
    counts.shared++;
  };
  const missing: number[] = [];
  for (const block of own) if (folder.read(block) === null) missing.push(block);
  const fetchable = missing.filter((block) => stored.has(block));
  await inTurns(fetchable, DOWNLOADS, async (block) => {
    const bytes = await shared!.fetch(block);
    if (bytes === null) stored.delete(block);
    else if (bytes === "damaged") {
      damaged.add(block);
      progress.warn(`${shared!.keyOf(block)} is damaged; its rows are made again.`);
    } else {
      folder.write(block, bytes);
      counts.fetched++;
    }
  });
  const toMake = missing.filter((block) => !stored.has(block) || damaged.has(block));
  if (share !== null) {
    const left = new Set(toMake);
    for (const block of own)
      if (!left.has(block) && !stored.has(block)) await put(block, folder.bytes(block)!);
  }
  if (toMake.length === 0) return counts;

  const graph = await ports.open(plan);
  try {
    const rows = toMake.reduce((sum, block) => sum + idsOf(plan, block).length, 0);
    const stage = progress.stage(`make rows, ${plan.task}`, rows);
    let sending: Promise<void> = Promise.resolve();
    for (const block of toMake) {
      const made = await makeBlock(plan, block, graph);
      folder.write(block, made.bytes);
      // One block is on its way while the next is made.
      await sending;
      sending = put(block, made.bytes);
      sending.catch(() => undefined);
      counts.made++;
      counts.rows += made.rows;
      stage.advance(made.rows);
    }
    await sending;
    stage.done(`${counts.rows} rows on ${graph.provider}`);
  } finally {
    await graph.close();
  }
  return counts;
}

/** Numbers of the blocks of a part: every `of`-th, so that any number of machines agree without a word between them. */
export function blocksOf({ blocks }: Pick<RowPlan, "blocks">, part: Part | null): readonly number[] {
  const all = Array.from({ length: blocks }, (_, block) => block);
  return part === null ? all : all.filter((block) => block % part.of === part.number - 1);
}

/** A block as a file. The passes of a block have the same ids however often it is made. */
export async function makeBlock(
  plan: RowPlan,
  block: number,
  graph: Pick<RowGraph, "pass">,
): Promise<{ readonly bytes: Buffer<ArrayBuffer>; readonly rows: number }> {
  const { dimension, pass } = plan;
  const { bytes, halves } = emptyBlock({ plan, number: block });
  const ids = idsOf(plan, block);
  for (let from = 0; from < ids.length; from += pass) {
    const some = ids.slice(from, from + pass);
    const { data, first, stride } = await graph.pass(some);
    const singles = singlesOf(data);
    for (let at = 0; at < some.length; at++) {
      const [id, offset] = [some[at]!, first + at * stride];
      const bad = roundToHalves(singles, offset, dimension, halves, (id - block * BLOCK) * dimension);
      if (bad >= 0) throw badRow(plan, id, bad, data[offset + bad]!);
    }
  }
  seal(bytes);
  return { bytes, rows: ids.length };
}

function badRow({ task }: RowPlan, id: number, place: number, value: number): LightedgeError {
  const what = Number.isFinite(value) ? "more than half precision holds, 65,504" : "not finite";
  return new LightedgeError(
    "model/invalid",
    `The row of token ${id} for task ${task} is unusable: number ${place} is ${value}, ${what}. Nothing was published.`,
    { field: "dense", value: String(id), limit: 65_504 },
  );
}
