import { LightedgeError } from "../../shared/errors.ts";
import type { WarmAnswer } from "../../shared/regions/warm.ts";
import { loadConfig } from "../config/config.ts";
import { addressOf, warm } from "../deploy/warm.ts";
import { type Arguments, type Command, JSON_OPTION } from "./command.ts";

/** `lightedge warm`: indexes ready before the first query. */
export const warmCommand: Command = {
  name: "warm",
  summary: "Have a deployment load its indexes in every region, before the first query does",
  positionals: { usage: "URL|CONFIG", least: 1, most: 1 },
  options: {
    index: { type: "string", value: "NAME", help: "an index (default: all)", multiple: true },
    region: { type: "string", value: "REGION", help: "a region (default: all)", multiple: true },
    json: JSON_OPTION,
  },
  notes: [
    "A config names its deployment by the key url. ADMIN_KEY of the environment must be the deployment's.",
    "Exit codes: 0 all are ready, 1 at least one is not, 2 not understood.",
  ].join("\n"),
  async run(args, output) {
    const { url, indexes } = await placeOf(args);
    const adminKey = process.env.ADMIN_KEY ?? "";
    if (adminKey === "")
      throw new LightedgeError("usage/invalid", "Set ADMIN_KEY in the environment to the deployment's key.", {
        field: "ADMIN_KEY",
      });
    const named = args.texts("index");
    const answer = await warm(
      { url, adminKey, indexes: named.length > 0 ? named : indexes, regions: args.texts("region") },
      { fetch: (address, init) => fetch(address, init) },
    );
    output.result(answer, () => render(answer));
    return answer.failed.length > 0 ? 1 : 0;
  },
};

/** The deployment's address, and the indexes that it is known to have. */
async function placeOf(args: Pick<Arguments, "positionals">) {
  const [place = ""] = args.positionals;
  if (/^https?:/u.test(place)) return { url: addressOf(place), indexes: [] };
  const config = await loadConfig(place, process.env);
  if (config.url !== undefined)
    return { url: config.url, indexes: config.indexes.map(({ spec }) => spec.index) };
  throw new LightedgeError(
    "usage/invalid",
    `${config.file} does not say where its deployment is; add url: https://search.example.org, or give the address.`,
    { field: "url", file: config.file },
  );
}

function render({ warmed, failed }: WarmAnswer): string {
  const lines = [
    ...warmed.map(({ index, region, version, shards, ms }) => {
      const where = shards === 0 ? "in the Worker" : `${shards} ${shards === 1 ? "shard" : "shards"}`;
      return `${index} in ${region} is ready: ${version}, ${where}, ${ms} ms.`;
    }),
    ...failed.map(({ index, region, message }) => `${index} in ${region} is not ready: ${message}`),
  ];
  return lines.length === 0 ? "The deployment has no indexes." : lines.join("\n");
}
