/**
 * Index runs as real processes over a folder, killed without warning and run again. After each kill the
 * folder holds the version before or the new one, whole; after each run to the end, the new one.
 */
import { isDeepStrictEqual } from "node:util";
import { checkStore } from "../../../indexer/check-store.ts";
import { Random } from "../../../indexer/random.ts";
import { FolderStore } from "../../../indexer/store/folder.ts";
import { openTiny } from "../tiny.ts";
import { documentsOf } from "./documents.ts";
import { type Death, run, storeIn } from "./process.ts";

/** What came of a campaign. */
export interface Campaign {
  /** Runs that were killed before their end. */
  readonly kills: number;
  /** Of these, those that had made their version current already. */
  readonly committed: number;
  /** Runs that came to their end. */
  readonly completed: number;
  /** One sentence for each thing that must not be. */
  readonly violations: readonly string[];
}

/** Kills so many runs over an empty folder, at moments that the seed decides. */
export async function killCampaign(folder: string, wanted: number, seed: number): Promise<Campaign> {
  const random = new Random(seed);
  const violations: string[] = [];
  let [kills, committed, completed] = [0, 0, 0];
  // How long a run is, in calls and in time, by the last that came to its end.
  let whole = { calls: 1, milliseconds: 1 };
  const complete = async (round: number): Promise<void> => {
    const end = await run(folder, round);
    completed++;
    if (end.code !== 0) violations.push(`Kill ${kills}: the run after it failed: ${end.errors}`);
    else whole = end;
    violations.push(...(await wrongIn(folder, [round], `Kill ${kills}, run again`)).wrong);
  };
  await complete(0);
  for (let round = 1; kills < wanted; ) {
    const { killed } = await run(folder, round, drawDeath(random, whole));
    if (killed) kills++;
    else completed++;
    const { found, wrong } = await wrongIn(folder, [round - 1, round], `Kill ${kills}`);
    violations.push(...wrong);
    if (found === round) committed += killed ? 1 : 0;
    else if (!killed) violations.push(`Kill ${kills}: a run that was not killed did not publish.`);
    // The next kill meets what this one left behind.
    else if (random.below(2) === 0) continue;
    else await complete(round);
    round++;
  }
  return { kills, committed, completed, violations };
}

/** Runs several rounds at once over one folder. Gives what must not be: one at least has won, and the rest was told so. */
export async function runTogether(folder: string, rounds: readonly number[]): Promise<readonly string[]> {
  const ends = await Promise.all(rounds.map((round) => run(folder, round)));
  const lost = ends.filter(({ code }) => code !== 0);
  const strange = lost.filter(({ errors }) => !errors.includes("store/conflict"));
  return [
    ...(lost.length === ends.length ? ["None of the runs published."] : []),
    ...strange.map(({ errors }) => `A run failed otherwise than by losing: ${errors}`),
    ...(await wrongIn(folder, rounds, "Together")).wrong,
  ];
}

function drawDeath(random: Random, whole: { readonly calls: number; readonly milliseconds: number }): Death {
  if (random.below(2) === 0) return { kind: "time", milliseconds: random.below(whole.milliseconds) };
  return { kind: "call", moment: random.pick(["before", "after"]), call: random.below(whole.calls) };
}

/** Which of these rounds a folder holds, and all that is wrong with it. */
async function wrongIn(
  folder: string,
  rounds: readonly number[],
  where: string,
): Promise<{ readonly found: number | null; readonly wrong: readonly string[] }> {
  const store = new FolderStore(storeIn(folder));
  const { problems, versions } = await checkStore(store);
  const wrong = problems.map((problem) => `${where}: ${problem}`);
  const index = await openTiny(store);
  // Nothing was collected, so every version that ever was is there: one for each commit.
  if (Number(index.version.split("-")[0]) !== versions) {
    wrong.push(`${where}: ${index.version} is current, and ${versions} versions are there.`);
  }
  for (const round of rounds) {
    const documents = documentsOf(round);
    if (index.manifest.counts.documents !== documents.length) continue;
    const stored = await Promise.all(documents.map(({ id }) => index.document(id)));
    const same = stored.every((found, at) => isDeepStrictEqual(found?.fields, documents[at]!.fields));
    if (same) return { found: round, wrong };
  }
  wrong.push(`${where}: the index holds the documents of no round of ${rounds.join(", ")}.`);
  return { found: null, wrong };
}
