import { describe, expect, it } from "vitest";
import { isolateBytesOf, placementOf } from "../../../shared/engine/placement.ts";
import type { BlobEntry } from "../../../shared/format/manifest.ts";
import type { Sha256 } from "../../../shared/hash.ts";
import { MEMORY_LIMITS, MIB } from "../../../shared/limits.ts";

const DIGEST = "d".repeat(64) as Sha256;
const facts = (bytes: number) => ({
  key: `blobs/${DIGEST}`,
  sha256: DIGEST,
  bytes,
  head: { bytes: 64, sha256: DIGEST },
});
const table = (bytes: number): BlobEntry => ({ role: "table", task: "search", ...facts(bytes) });
const shard = (bytes: number): BlobEntry => ({ role: "shard", ordinal: 0, ...facts(bytes) });

describe("the memory that an index takes", () => {
  it("counts of a table no more than is kept of it", () => {
    const { tableBytes, residentBytes } = MEMORY_LIMITS;
    expect(isolateBytesOf({ blobs: [table(5 * MIB), shard(MIB)] }, "isolate")).toBe(6 * MIB);
    expect(isolateBytesOf({ blobs: [table(60 * MIB), shard(MIB)] }, "isolate")).toBe(tableBytes + MIB);
    expect(isolateBytesOf({ blobs: [table(60 * MIB), shard(90 * MIB)] }, "objects")).toBe(tableBytes);
    expect(
      placementOf({ blobs: [table(60 * MIB), shard(MIB)] }, { budgetBytes: residentBytes, objects: true }),
    ).toBe("isolate");
  });
});
