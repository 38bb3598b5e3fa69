import { describe, expect, it } from "vitest";
import { type ClustersFile, readClusters, writeClusters } from "../../../shared/format/clusters.ts";
import { parseEnvelope, writeEnvelope } from "../../../shared/format/envelope.ts";
import { refusal } from "./helpers.ts";
import { clustersContent, ENCODER } from "./samples.ts";

const good = clustersContent(ENCODER);
const refuses = (change: Partial<ClustersFile>) => refusal(() => writeClusters({ ...good, ...change }));
const refusesMeta = (change: object) => refuses({ meta: { ...good.meta, ...change } });

describe("a clusters file", () => {
  it("is read as it was written", async () => {
    const { bytes } = await writeClusters(good);
    expect(readClusters(parseEnvelope(bytes, "clusters"))).toEqual(good);
  });

  it("is refused for a number outside its range", async () => {
    for (const change of [
      { clusters: 0 },
      { clusters: 4097 },
      { probes: 0 },
      { probes: 4 },
      { recall: 1.5 },
      { recall: Number.NaN },
      { queries: -1 },
      { padded: 100 },
      { padded: 192 },
      { dimension: 129 },
      { table: "none" },
    ]) {
      expect(await refusesMeta(change), JSON.stringify(change)).toBe("format/invalid");
    }
    expect(await refusesMeta({ more: 1 })).toBe("format/unsupported");
  });

  it("is refused when its sections are not as long as it says", async () => {
    expect(await refuses({ centroids: good.centroids.subarray(128) })).toBe("format/invalid");
    expect(await refuses({ scales: good.scales.subarray(1) })).toBe("format/invalid");
    const { bytes } = await writeEnvelope("clusters", { ...good.meta }, []);
    expect(await refusal(() => readClusters(parseEnvelope(bytes, "clusters")))).toBe("format/invalid");
  });

  it("is refused for a scale that is none and for numbers past the dimension", async () => {
    expect(await refuses({ scales: Float32Array.of(1, 0, 1) })).toBe("format/invalid");
    const centroids = good.centroids.slice();
    centroids[100] = 1;
    expect(await refuses({ centroids })).toBe("format/invalid");
  });
});
