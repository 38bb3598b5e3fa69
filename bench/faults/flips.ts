/**
 * Every bit of a small store flipped and every object cut at every length, one after the other:
 * `node bench/faults/flips.ts`. Each store is asked and checked; where a record is damaged, garbage is collected as
 * well. Prints for each object how many were not met as they must be, and exits 1 where any was not. `--part 2/4` does every fourth, `--seed` makes other documents.
 */
import { parseArgs } from "node:util";
import { ask, judge, lengthsOf, smallStore, takenFrom } from "../../test/sim/corruption.ts";
import { flipped, type Objects, replaced } from "../../test/sim/objects.ts";
import { digestInPlace } from "../../test/sim/sync-digest.ts";

const { values } = parseArgs({
  options: { part: { type: "string", default: "1/1" }, seed: { type: "string", default: "1" } },
});
const [part = 1, parts = 1] = values.part.split("/").map(Number);
/** Examples that are printed of what was missed in one object. */
const SHOWN = 5;

digestInPlace();
const started = performance.now();
const whole = await smallStore(Number(values.seed));
const right = await ask(whole);
let tried = 0;
let missed = 0;
for (const [key, body] of whole) {
  await attempt(key, "flips", 8 * body.length, (bit) => replaced(whole, key, flipped(body, bit)));
  await attempt(key, "lengths", lengthsOf(key, body), (length) =>
    replaced(whole, key, body.slice(0, length)),
  );
}
const bytes = [...whole.values()].reduce((sum, body) => sum + body.length, 0);
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(
  `${whole.size} objects, ${bytes} bytes: ${tried} damaged stores, ${missed} not met as they must be, ${seconds} s.`,
);
process.exitCode = missed === 0 ? 0 : 1;

async function attempt(
  key: string,
  what: string,
  count: number,
  damage: (at: number) => Objects,
): Promise<void> {
  const examples: string[] = [];
  let found = 0;
  for (let at = part - 1; at < count; at += parts) {
    const damaged = damage(at);
    const wrong = [...(await judge(damaged, right))];
    // Blobs are read by nobody who collects.
    const taken = key.startsWith("blobs/") ? [] : await takenFrom(damaged, whole);
    if (taken.length > 0) wrong.push(`loses ${taken.join(", ")} to a collection`);
    tried++;
    if (wrong.length === 0) continue;
    found++;
    if (found <= SHOWN) examples.push(`  ${at}: ${wrong.join("; ")}`);
  }
  missed += found;
  console.log(`${key}: ${count} ${what}, ${found} missed`);
  for (const example of examples) console.log(example);
}
