/**
 * Loads the simulator over a product with a bug in it. The bug is a change of text that is made to one
 * file on its way from the disk into this process: no file is touched, and nothing in the product
 * knows of it. Each bug gets modules of its own, told apart by a query in their addresses.
 */
import { registerHooks } from "node:module";
import type { Simulated } from "../simulate.ts";
import { PLANTED } from "./bugs.ts";
import type { Planted } from "./planted.ts";

const QUERY = "planted";
const ROOT = new URL("../../../", import.meta.url).href;

/** Runs the schedule of a seed over the product with a bug. */
export type PlantedSimulator = (seed: number) => Promise<Simulated>;

let hooked = false;

/** The simulator over the product with this bug. Throws where the text to change is not there exactly once. */
export async function loadPlanted(bug: Planted): Promise<PlantedSimulator> {
  if (!hooked) hook();
  hooked = true;
  const { scene, name } = bug;
  const query = `?${QUERY}=${encodeURIComponent(name)}`;
  if (scene === "builds") {
    const file = new URL(`../builds/simulate.ts${query}`, import.meta.url);
    const { simulateBuilds }: typeof import("../builds/simulate.ts") = await import(file.href);
    return (seed) => simulateBuilds(seed);
  }
  const file = new URL(`../simulate.ts${query}`, import.meta.url);
  const { simulate }: typeof import("../simulate.ts") = await import(file.href);
  return (seed) => simulate(seed, { scene });
}

function hook(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const bug = context.parentURL === undefined ? null : bugOf(context.parentURL);
      if (bug === null || !found.url.startsWith(ROOT) || found.url.includes("/node_modules/")) return found;
      return { ...found, url: `${found.url}?${QUERY}=${encodeURIComponent(bug)}` };
    },
    load(url, context, next) {
      const found = next(url, context);
      const bug = PLANTED.find(({ name }) => name === bugOf(url));
      if (bug === undefined || new URL(url).pathname !== new URL(bug.file, ROOT).pathname) return found;
      return { ...found, source: plant(bug, Buffer.from(found.source as Uint8Array).toString("utf8")) };
    },
  });
}

function bugOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).searchParams.get(QUERY) : null;
}

/** The text with its bug. */
export function plant({ name, file, changes }: Planted, text: string): string {
  return changes.reduce((before, [from, to]) => {
    const parts = before.split(from);
    if (parts.length !== 2) {
      throw new Error(
        `The bug "${name}" wants ${JSON.stringify(from)} once in ${file}; it is there ${parts.length - 1} times.`,
      );
    }
    return parts.join(to);
  }, text);
}
