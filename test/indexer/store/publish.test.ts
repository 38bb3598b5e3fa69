import { beforeEach, describe, expect, it } from "vitest";
import { commit, putBlob, readPointer } from "../../../indexer/store/publish.ts";
import { sha256 } from "../../../shared/hash.ts";
import { FORMAT_LIMITS } from "../../../shared/limits.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { bytes, textOf } from "../../contract/store-reads.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { publishTexts, readTexts, testPorts } from "../../helpers/tiny-index.ts";

let store: MemoryStore;
beforeEach(() => {
  store = new MemoryStore();
});

describe("putBlob", () => {
  it("stores bytes under their digest", async () => {
    const digest = await sha256("text");
    const blob = await putBlob(store, bytes("text"));
    expect(blob).toEqual({ key: `blobs/${digest}`, sha256: digest, bytes: 4, written: true });
    expect(textOf(await store.get(blob.key))).toBe("text");
  });

  it("writes nothing where the bytes are already", async () => {
    await putBlob(store, bytes("text"));
    const watched = new FaultStore(store);
    expect((await putBlob(watched, bytes("text"))).written).toBe(false);
    expect(watched.log.map((line) => line.split(" ")[0])).toEqual(["head"]);
  });

  it("writes a blob again that lies there with another length", async () => {
    const { key } = await putBlob(store, bytes("text"));
    await store.put(key, bytes("te"));
    expect((await putBlob(store, bytes("text"))).written).toBe(true);
    expect(textOf(await store.get(key))).toBe("text");
  });

  it("takes it calmly when another writer is first with the same bytes", async () => {
    const blobs = await Promise.all(Array.from({ length: 10 }, () => putBlob(store, bytes("text"))));
    expect(blobs.filter(({ written }) => written)).toHaveLength(1);
    expect(new Set(blobs.map(({ key }) => key)).size).toBe(1);
  });

  it("stores an empty blob", async () => {
    expect(await putBlob(store, bytes(""))).toMatchObject({ bytes: 0, written: true });
    expect((await putBlob(store, bytes(""))).written).toBe(false);
  });
});

describe("commit", () => {
  it("makes the first version, and the next one upon it", async () => {
    const first = await publishTexts(store, "docs", ["a"], testPorts(1));
    const second = await publishTexts(store, "docs", ["a", "b"], testPorts(2));
    if (first.kind !== "committed" || second.kind !== "committed") throw new Error("not committed");
    expect(first.pointer).toMatchObject({ format: 1, seq: 1, parent: null });
    expect(second.pointer).toMatchObject({ seq: 2, parent: first.pointer.manifest.sha256 });
    expect((await readPointer(store, "docs"))?.pointer).toEqual(second.pointer);
    expect(await readTexts(store, "docs")).toEqual(["a", "b"]);
  });

  it("keeps the manifests of earlier versions", async () => {
    const first = await publishTexts(store, "docs", ["a"]);
    await publishTexts(store, "docs", ["b"]);
    if (first.kind !== "committed") throw new Error("not committed");
    expect(await store.head(first.pointer.manifest.key)).not.toBeNull();
  });

  it("gives every commit an id of its own, from the random bytes it is given", async () => {
    const ids = new Set<string>();
    for (let n = 0; n < 5; n += 1) {
      const outcome = await commit(store, "docs", { manifest: bytes("{}"), blobs: [] });
      if (outcome.kind === "committed") ids.add(outcome.pointer.commit_id);
    }
    expect(ids.size).toBe(5);
    const ports = { ...testPorts(0), randomBytes: (length: number) => new Uint8Array(length).fill(0xab) };
    const outcome = await commit(store, "docs", { manifest: bytes("{}"), blobs: [] }, ports);
    expect(outcome).toMatchObject({ kind: "committed", pointer: { commit_id: "ab".repeat(16) } });
  });

  it("keeps indexes of one store apart", async () => {
    await publishTexts(store, "one", ["a"]);
    await publishTexts(store, "two", ["b"]);
    expect(await readTexts(store, "one")).toEqual(["a"]);
    expect(await readTexts(store, "two")).toEqual(["b"]);
    expect(await readTexts(store, "three")).toBeNull();
  });

  it("moves nothing when a blob is missing or has another length", async () => {
    await publishTexts(store, "docs", ["a"]);
    const { key } = await putBlob(store, bytes("there"));
    const attempt = (blob: { key: string; bytes: number }) =>
      commit(store, "docs", { manifest: bytes("{}"), blobs: [blob] });
    await expect(attempt({ key: "blobs/none", bytes: 1 })).rejects.toMatchObject({
      code: "blob/missing",
      details: { blob: "blobs/none" },
    });
    await expect(attempt({ key, bytes: 6 })).rejects.toMatchObject({
      code: "blob/corrupt",
      details: { blob: key },
    });
    expect(await readTexts(store, "docs")).toEqual(["a"]);
  });

  it("refuses a manifest of no bytes or of too many", async () => {
    for (const length of [0, FORMAT_LIMITS.manifestBytes + 1]) {
      const attempt = commit(store, "docs", { manifest: new Uint8Array(length), blobs: [] });
      await expect(attempt).rejects.toMatchObject({ code: "index/too-large" });
    }
  });

  it("is a conflict when another version was committed since the base", async () => {
    await publishTexts(store, "docs", ["a"]);
    const base = await readPointer(store, "docs");
    await publishTexts(store, "docs", ["theirs"], testPorts(1));
    expect(await publishTexts(store, "docs", ["ours"], testPorts(2), base)).toEqual({ kind: "conflict" });
    expect(await publishTexts(store, "docs", ["ours"], testPorts(3), null)).toEqual({ kind: "conflict" });
    expect(await readTexts(store, "docs")).toEqual(["theirs"]);
  });

  it("lets exactly one of ten publishers commit upon the same base", async () => {
    for (const base of [null, "first"]) {
      const upon = base === null ? null : await readPointer(store, "docs");
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          publishTexts(store, "docs", [`text ${n}`], testPorts(n * 10), upon),
        ),
      );
      const winners = outcomes.flatMap(({ kind }, n) => (kind === "committed" ? [n] : []));
      expect(winners).toHaveLength(1);
      expect(await readTexts(store, "docs")).toEqual([`text ${winners[0]}`]);
    }
  });

  it("publishes nothing over a pointer it cannot read", async () => {
    await store.put("indexes/docs/current.json", bytes("not a pointer"));
    await expect(publishTexts(store, "docs", ["a"])).rejects.toMatchObject({ code: "format/invalid" });
    expect(textOf(await store.get("indexes/docs/current.json"))).toBe("not a pointer");
  });

  it("refuses a name that no index can have", async () => {
    await expect(publishTexts(store, "../docs", ["a"])).rejects.toMatchObject({ code: "request/invalid" });
    await expect(readPointer(store, "Docs")).rejects.toMatchObject({ code: "request/invalid" });
  });
});
