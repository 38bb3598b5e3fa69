import { beforeAll, describe, expect, it } from "vitest";
import { bindingHash, bindingParts, checkBinding, type OpenedParts } from "../../../shared/format/binding.ts";
import type { Manifest } from "../../../shared/format/manifest.ts";
import { type Sha256, sha256 } from "../../../shared/hash.ts";
import { refusal } from "./helpers.ts";
import { clustersContent, ENCODER, makeSamples, shardContent, tableContent } from "./samples.ts";

let manifest: Manifest;
let opened: Required<OpenedParts>;
let other: Sha256;
beforeAll(async () => {
  const samples = await makeSamples();
  manifest = samples.manifest;
  opened = {
    tokenizer: { encoder: ENCODER, lowercase: true },
    tables: [tableContent(samples.tokenizer.sha256).meta],
    shards: [shardContent(samples.tokenizer.sha256, samples.table.sha256).meta],
    clusters: clustersContent(samples.table.sha256).meta,
  };
  other = await sha256("another model");
});

describe("the binding", () => {
  it("holds for parts of one run, all or some of them", async () => {
    await checkBinding(manifest, opened);
    await checkBinding(manifest, {});
    await checkBinding(manifest, { shards: opened.shards });
  });

  it("changes with every part", async () => {
    const parts = bindingParts(manifest);
    const changed = [
      parts,
      { ...parts, encoder: other },
      { ...parts, tokenizer: other },
      { ...parts, tables: [other] },
      { ...parts, tables: [...parts.tables, other] },
      { ...parts, dimension: 101 },
      { ...parts, vocabulary: 6 },
    ];
    const hashes = await Promise.all(changed.map(bindingHash));
    expect(new Set(hashes).size).toBe(changed.length);
  });

  it("does not hold for a manifest whose parts were exchanged", async () => {
    const [task] = manifest.tasks;
    const exchanged = { ...manifest, tasks: [{ ...task!, table: other }] };
    expect(await refusal(() => checkBinding(exchanged, {}))).toBe("binding/mismatch");
    const model = { ...manifest.model, encoder: other };
    expect(await refusal(() => checkBinding({ ...manifest, model }, {}))).toBe("binding/mismatch");
  });

  it("does not hold for any part of another run, and names both parts", async () => {
    const [table] = opened.tables;
    const [shard] = opened.shards;
    const foreign: readonly OpenedParts[] = [
      { tokenizer: { encoder: other, lowercase: true } },
      ...[{ encoder: other }, { tokenizer: other }, { dimension: 99 }, { vocabulary: 6 }].flatMap(
        (change) => [{ tables: [{ ...table!, ...change }] }, { shards: [{ ...shard!, ...change }] }],
      ),
      { tables: [{ ...table!, task: "other" }] },
      ...[{ encoder: other }, { table: other }, { dimension: 99 }].map((change) => ({
        clusters: { ...opened.clusters, ...change },
      })),
      { tables: [table!], clusters: { ...opened.clusters, padded: 256 } },
      { shards: [{ ...shard!, clusters: { sha256: other, count: 3 } }] },
      { tables: [{ ...table!, query_prompt: "passage: " }] },
      { shards: [{ ...shard!, table: other }] },
      { ...opened, shards: [{ ...shard!, padded: 256 }] },
      { tables: [table!, { ...table!, rotation: { kind: "hadamard", seed: 8, rounds: 3 } }] },
    ];
    for (const parts of foreign) {
      const error = checkBinding(manifest, parts);
      await expect(error, JSON.stringify(parts)).rejects.toMatchObject({ code: "binding/mismatch" });
      await expect(error).rejects.toThrow(/ and .* differ in /);
    }
  });
});
