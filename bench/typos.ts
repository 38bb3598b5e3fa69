/**
 * `node bench/typos.ts DIR...`: what one typo costs a search, with its correction and without,
 * and what correcting costs queries that need none. Each query of each collection in BEIR
 * layout gets one typo of each kind.
 */

import { ndcg } from "../indexer/evaluate/metrics.ts";
import { TYPO_KINDS, withTypo } from "../indexer/evaluate/typos.ts";
import { SILENT } from "../indexer/progress.ts";
import { Random } from "../indexer/random.ts";
import { prepare } from "./context.ts";

const SEED = 7;

for (const folder of process.argv.slice(2)) {
  const { collection, index, encoder } = await prepare(folder, SILENT);
  await encoder.close();
  const sums = new Map<string, number>();
  const add = (name: string, value: number) => sums.set(name, (sums.get(name) ?? 0) + value);
  const random = new Random(SEED);
  for (const { text, grades } of collection.queries) {
    const quality = async (q: string, typos: boolean): Promise<number> => {
      const { hits } = await index.search({
        q,
        mode: "hybrid",
        limit: 10,
        offset: 0,
        explain: false,
        fields: [],
        typos,
      });
      return ndcg(
        hits.map(({ id }) => id),
        grades,
        10,
      );
    };
    const plain = await quality(text, false);
    add("clean", plain);
    add("clean, corrected", await quality(text, true));
    for (const kind of TYPO_KINDS) {
      const spoilt = withTypo(text, kind, random);
      if (spoilt === null) continue;
      for (const typos of [false, true]) {
        const found = await quality(spoilt, typos);
        for (const name of [kind, "any"]) {
          add(`${name}, ${typos}`, found);
          add(`${name}, ${typos}, plain`, plain);
        }
      }
    }
  }
  const count = collection.queries.length;
  const mean = (name: string) => (sums.get(name)! / count).toFixed(4);
  const kept = (name: string) => (sums.get(name)! / sums.get(`${name}, plain`)!).toFixed(4);
  console.log(
    `${collection.name}: ${count} queries, nDCG@10 ${mean("clean")}, with correction ${mean("clean, corrected")}`,
  );
  for (const name of [...TYPO_KINDS, "any"])
    console.log(
      `  ${name.padEnd(10)} kept ${kept(`${name}, false`)}, with correction ${kept(`${name}, true`)}`,
    );
}
