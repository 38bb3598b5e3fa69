/**
 * Index runs as real processes over a folder, killed without warning and run again. After each kill the
 * folder holds the version before or the new one, whole; after each run to the end, the new one.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { checkIndex } from "../../../indexer/check.ts";
import { Random } from "../../../indexer/random.ts";
import { FolderStore } from "../../../indexer/store/folder.ts";
import { openTiny, TINY } from "../../helpers/tiny-build.ts";
import { documentsOf } from "./documents.ts";

const RUN = fileURLToPath(new URL("index-run.ts", import.meta.url));
/** Calls to the file system that a run makes, roughly: 80 on the two-core machine this was written on. */
const CALLS = 85;
/** Longest time from a run's beginning to its kill, in ms: about what a run takes. */
const LONGEST_MS = 250;

/** What came of a campaign. */
export interface Campaign {
  /** Runs that were killed before their end. */
  readonly kills: number;
  /** Of these, those that had made their version current already. */
  readonly committed: number;
  /** Runs that ended by themselves. */
  readonly completed: number;
  /** One sentence for each thing that must not be. */
  readonly violations: readonly string[];
}

/** Kills so many runs over an empty folder, at moments that the seed decides. */
export async function killCampaign(folder: string, wanted: number, seed: number): Promise<Campaign> {
  const random = new Random(seed);
  const violations: string[] = [];
  let kills = 0;
  let committed = 0;
  let completed = 0;
  const complete = async (round: number): Promise<void> => {
    const { code } = await run(folder, round, []);
    completed++;
    if (code !== 0) violations.push(`Kill ${kills}: the run after it ended with ${code}.`);
    if ((await roundIn(folder, [round], violations, kills)) !== round)
      violations.push(`Kill ${kills}: the run after it did not publish its documents.`);
  };

  await complete(0);
  for (let round = 1; kills < wanted; ) {
    const killed =
      random.below(2) === 0
        ? await killInTime(folder, round, random)
        : await killAtCall(folder, round, random);
    if (killed) kills++;
    else completed++;
    const found = await roundIn(folder, [round - 1, round], violations, kills);
    if (found === round) committed += killed ? 1 : 0;
    else if (!killed) violations.push(`Kill ${kills}: a run that was not killed did not publish.`);
    else if (random.below(2) === 0) await complete(round);
    // The next kill meets what this one left behind.
    else continue;
    round++;
  }
  return { kills, committed, completed, violations };
}

/** Runs several rounds at once. Gives the exit codes; the folder must hold one of the rounds, whole. */
export async function runTogether(folder: string, rounds: readonly number[]): Promise<readonly string[]> {
  const violations: string[] = [];
  const ends = await Promise.all(rounds.map((round) => run(folder, round, [])));
  const won = ends.filter(({ code }) => code === 0).length;
  if (won === 0) violations.push("None of the runs published.");
  for (const { code, errors } of ends) {
    if (code !== 0 && !errors.includes("store/conflict"))
      violations.push(`A run failed otherwise: ${errors}`);
  }
  await roundIn(folder, rounds, violations, 0);
  return violations;
}

async function killInTime(folder: string, round: number, random: Random): Promise<boolean> {
  const milliseconds = random.below(LONGEST_MS);
  const { signal } = await run(folder, round, [], async (child) => {
    if (child.stdout !== null) await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    child.kill("SIGKILL");
  });
  return signal === "SIGKILL";
}

async function killAtCall(folder: string, round: number, random: Random): Promise<boolean> {
  const moment = random.pick(["before", "after"]);
  const { signal } = await run(folder, round, [moment, String(random.below(CALLS))]);
  return signal === "SIGKILL";
}

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly errors: string;
}

async function run(
  folder: string,
  round: number,
  more: readonly string[],
  meanwhile?: (child: ChildProcess) => Promise<void>,
): Promise<End> {
  const child = spawn(process.execPath, [RUN, folder, String(round), ...more], {
    stdio: ["ignore", "pipe", "pipe"],
    // Half of a short process is the reading of its own source.
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "lightedge-compiled") },
  });
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdout?.resume();
  const closed = once(child, "close");
  await meanwhile?.(child);
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  return { code, signal, errors };
}

/** Which of these rounds the folder holds, whole and sound, or null. */
async function roundIn(
  folder: string,
  rounds: readonly number[],
  violations: string[],
  kill: number,
): Promise<number | null> {
  const store = new FolderStore(folder);
  const { problems } = await checkIndex(store, TINY);
  violations.push(...problems.map((problem) => `Kill ${kill}: ${problem}`));
  const index = await openTiny(store);
  for (const round of rounds) {
    const documents = documentsOf(round);
    if (index.manifest.counts.documents !== documents.length) continue;
    const stored = await Promise.all(documents.map(({ id }) => index.document(id)));
    if (stored.every((found, at) => isDeepStrictEqual(found?.fields, documents[at]!.fields))) return round;
  }
  violations.push(`Kill ${kill}: the index holds the documents of neither ${rounds.join(" nor ")}.`);
  return null;
}
