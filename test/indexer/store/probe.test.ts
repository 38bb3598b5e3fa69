import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { R2WriteStore } from "../../../edge/store-r2-write.ts";
import { FolderStore } from "../../../indexer/store/folder.ts";
import { probeStore } from "../../../indexer/store/probe.ts";
import { S3Store } from "../../../indexer/store/s3.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { ObjectInfo, PutOutcome, StoredObject, WriteStore } from "../../../shared/store/store.ts";
import { list } from "../../contract/store.ts";
import { hasMoto, startMoto } from "../../helpers/moto-server.ts";
import { r2Bucket } from "../../helpers/r2-bucket.ts";
import { S3Server } from "../../helpers/s3-server.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A good store, for others to spoil one method of, which counts what it is asked for. */
class Sound implements WriteStore {
  readonly inner = new MemoryStore();
  readonly asked: string[] = [];
  get(key: string): Promise<StoredObject | null> {
    this.asked.push("read");
    return this.inner.get(key);
  }
  getRange(key: string, offset: number, length: number): Promise<Bytes | null> {
    return this.inner.getRange(key, offset, length);
  }
  head(key: string): Promise<ObjectInfo | null> {
    this.asked.push("read");
    return this.inner.head(key);
  }
  put(key: string, body: Bytes): Promise<ObjectInfo> {
    return this.inner.put(key, body);
  }
  putIfAbsent(key: string, body: Bytes): Promise<PutOutcome> {
    this.asked.push("write");
    return this.inner.putIfAbsent(key, body);
  }
  putIfMatch(key: string, body: Bytes, etag: string): Promise<PutOutcome> {
    this.asked.push("write");
    return this.inner.putIfMatch(key, body, etag);
  }
  list(prefix: string): AsyncIterable<ObjectInfo> {
    return this.inner.list(prefix);
  }
  delete(key: string): Promise<void> {
    this.asked.push("delete");
    return this.inner.delete(key);
  }
  async overwrite(key: string, body: Bytes): Promise<PutOutcome> {
    return { kind: "written", etag: (await this.inner.put(key, body)).etag };
  }
}

/** Stores that break the contract, each in one way, and what the probe says of them. */
const BROKEN: readonly (readonly [string, RegExp, new () => Sound])[] = [
  [
    "takes no notice of If-None-Match",
    /created an object over another/,
    class extends Sound {
      override putIfAbsent = this.overwrite;
    },
  ],
  [
    "takes no notice of If-Match",
    /whose version was not the one asked for/,
    class extends Sound {
      override putIfMatch = this.overwrite;
    },
  ],
  [
    "looks only whether there is a version at all",
    /whose version was not the one asked for/,
    class extends Sound {
      override async putIfMatch(key: string, body: Bytes): Promise<PutOutcome> {
        return (await this.inner.head(key)) === null ? { kind: "conflict" } : this.overwrite(key, body);
      }
    },
  ],
  [
    "refuses every condition",
    /refused to create an object that was not there/,
    class extends Sound {
      override putIfAbsent = async (): Promise<PutOutcome> => ({ kind: "conflict" });
    },
  ],
  [
    "refuses every version",
    /refused to replace the version that was there/,
    class extends Sound {
      override putIfMatch = async (): Promise<PutOutcome> => ({ kind: "conflict" });
    },
  ],
  [
    "says that it refused, and writes all the same",
    /as it was after two writes that were refused/,
    class extends Sound {
      override async putIfMatch(key: string, body: Bytes, etag: string): Promise<PutOutcome> {
        const outcome = await this.inner.putIfMatch(key, body, etag);
        if (outcome.kind === "conflict") await this.inner.put(key, body);
        return outcome;
      }
    },
  ],
  [
    "gives one etag to all versions",
    /gave two contents the same etag/,
    class extends Sound {
      #same(found: ObjectInfo): { etag: string } {
        return { ...found, etag: "0" };
      }
      override async get(key: string): Promise<StoredObject | null> {
        const found = await this.inner.get(key);
        return found === null ? null : { ...found, ...this.#same(found) };
      }
      override async putIfAbsent(key: string, body: Bytes): Promise<PutOutcome> {
        const outcome = await this.inner.putIfAbsent(key, body);
        return outcome.kind === "written" ? { kind: "written", etag: "0" } : outcome;
      }
      override async putIfMatch(key: string, body: Bytes, etag: string): Promise<PutOutcome> {
        if (etag !== "0") return { kind: "conflict" };
        await this.inner.put(key, body);
        return { kind: "written", etag: "0" };
      }
    },
  ],
  [
    "gives its writer another etag than its readers",
    /another etag than its writer got/,
    class extends Sound {
      override async putIfAbsent(key: string, body: Bytes): Promise<PutOutcome> {
        const outcome = await this.inner.putIfAbsent(key, body);
        return outcome.kind === "written" ? { kind: "written", etag: `${outcome.etag}0` } : outcome;
      }
    },
  ],
  [
    "remembers that there was nothing",
    /as it was after it was created/,
    class extends Sound {
      readonly #absent = new Set<string>();
      override async get(key: string): Promise<StoredObject | null> {
        if (this.#absent.has(key)) return null;
        const found = await this.inner.get(key);
        if (found === null) this.#absent.add(key);
        return found;
      }
    },
  ],
  [
    "shows the version before the last one",
    /as it was after it was replaced/,
    class extends Sound {
      #before: StoredObject | null = null;
      override async putIfMatch(key: string, body: Bytes, etag: string): Promise<PutOutcome> {
        const before = await this.inner.get(key);
        const outcome = await this.inner.putIfMatch(key, body, etag);
        if (outcome.kind === "written") this.#before = before;
        return outcome;
      }
      override async get(key: string): Promise<StoredObject | null> {
        return this.#before ?? (await this.inner.get(key));
      }
    },
  ],
  [
    "shows what was deleted",
    /as it was after it was deleted/,
    class extends Sound {
      #deleted: StoredObject | null = null;
      override async delete(key: string): Promise<void> {
        this.#deleted ??= await this.inner.get(key);
        await this.inner.delete(key);
      }
      override async get(key: string): Promise<StoredObject | null> {
        return this.#deleted ?? (await this.inner.get(key));
      }
    },
  ],
  [
    "creates by a write that wants a version",
    /of an object that was gone/,
    class extends Sound {
      override async putIfMatch(key: string, body: Bytes, etag: string): Promise<PutOutcome> {
        if ((await this.inner.head(key)) === null) return this.overwrite(key, body);
        return this.inner.putIfMatch(key, body, etag);
      }
    },
  ],
  [
    "looks first and writes later",
    /let two writers replace the same version/,
    class extends Sound {
      override async putIfMatch(key: string, body: Bytes, etag: string): Promise<PutOutcome> {
        if ((await this.inner.head(key))?.etag !== etag) return { kind: "conflict" };
        await new Promise((resolve) => setTimeout(resolve, 5));
        return this.overwrite(key, body);
      }
    },
  ],
  [
    "lets nobody win a race",
    /let none of several writers/,
    class extends Sound {
      #atWork = 0;
      override async putIfMatch(key: string, body: Bytes, etag: string): Promise<PutOutcome> {
        this.#atWork += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
        const alone = this.#atWork === 1;
        setTimeout(() => {
          this.#atWork -= 1;
        }, 1);
        const outcome: PutOutcome = alone
          ? await this.inner.putIfMatch(key, body, etag)
          : { kind: "conflict" };
        await new Promise((resolve) => setTimeout(resolve, 5));
        return outcome;
      }
    },
  ],
];

describe("probeStore", () => {
  let fill = 0;
  const random = (length: number) => new Uint8Array(length).fill(fill);
  beforeEach(() => {
    fill = 1;
  });

  it.each(BROKEN)("refuses a store that %s", async (_name, complaint, Store) => {
    const store = new Store();
    await expect(probeStore(store, random)).rejects.toMatchObject({
      code: "store/unsafe",
      message: expect.stringMatching(complaint),
    });
    expect(await list(store.inner, "")).toEqual([]);
  });

  it("costs 10 writes, 8 reads and a delete, and leaves nothing", async () => {
    const store = new Sound();
    await probeStore(store, random);
    const count = (what: string) => store.asked.filter((asked) => asked === what).length;
    expect([count("write"), count("read"), count("delete")]).toEqual([10, 8, 1]);
    expect(await list(store.inner, "")).toEqual([]);
  });

  it("works below a name of its own, so that two probes do not meet", async () => {
    const store = new Sound();
    const theirs = await store.inner.putIfAbsent(`probe/${"01".repeat(16)}`, new Uint8Array(1));
    expect(theirs.kind).toBe("written");
    fill = 2;
    await probeStore(store, random);
    expect((await list(store.inner, "")).map(({ key }) => key)).toEqual([`probe/${"01".repeat(16)}`]);
    const together = Array.from({ length: 8 }, () => probeStore(store, randomBytes));
    await expect(Promise.all(together)).resolves.toHaveLength(8);
  });

  it("passes on what the store throws, and still clears up", async () => {
    const down = new LightedgeError("store/unavailable", "down");
    const store = new (class extends Sound {
      override putIfMatch = async (): Promise<PutOutcome> => {
        throw down;
      };
    })();
    await expect(probeStore(store, random)).rejects.toBe(down);
    expect(await list(store.inner, "")).toEqual([]);
  });

  it("says what is wrong with the store even when it cannot clear up", async () => {
    const store = new (class extends Sound {
      override putIfAbsent = this.overwrite;
      override delete = async (): Promise<void> => {
        throw new LightedgeError("store/unavailable", "down");
      };
    })();
    await expect(probeStore(store, random)).rejects.toMatchObject({ code: "store/unsafe" });
  });

  it("passes a store in memory", async () => {
    await probeStore(new MemoryStore(), randomBytes);
  });

  it("passes a folder", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lightedge-probe-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const store = new FolderStore(folder);
    await probeStore(store, randomBytes);
    expect(await list(store, "")).toEqual([]);
  });

  it("passes a bucket of an S3 server", async () => {
    const server = await S3Server.start();
    onTestFinished(() => server.close());
    await probeStore(new S3Store(server.place("below/")), randomBytes);
    expect(server.objects.size).toBe(0);
  });

  it.skipIf(!hasMoto())("passes moto, where a python3 has it", async () => {
    const moto = await startMoto();
    onTestFinished(() => moto.stop());
    await probeStore(new S3Store(moto.place()), randomBytes);
  });
});

describe("probeStore over an R2 binding", () => {
  const bucket = r2Bucket();

  it("passes it", async () => {
    await probeStore(new R2WriteStore(await bucket(), 0), randomBytes);
  });
});
