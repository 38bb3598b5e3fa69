import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type CachedEncoder, cachedEncoder } from "../../../indexer/encode/cache.ts";
import type { Encoder, Encoding, Wanted } from "../../../indexer/encode/encoder.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";
import { numberedTexts, WANTED } from "./texts.ts";

/** Texts that are encoded between two savings. */
const SLICE = 512;

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  made.push(mkdtempSync(join(tmpdir(), "lightedge-cache-")));
  return made.at(-1)!;
}

/** What came of one run of a cache over an encoder, and the texts that reached the encoder. */
async function runOnce(
  folder: string,
  texts: readonly string[],
  {
    wanted = WANTED,
    inner = tinyEncoder(),
  }: { wanted?: Wanted; inner?: ReturnType<typeof tinyEncoder> } = {},
) {
  const cached = cachedEncoder(inner, folder);
  try {
    const encodings = await cached.encode(texts, wanted);
    return { encodings, counts: { ...cached.counts }, encoded: [...inner.encoded] };
  } finally {
    await cached.close();
  }
}

/** The dumb twin: every text encoded, nothing remembered. */
function fresh(texts: readonly string[], wanted = WANTED): Promise<readonly Encoding[]> {
  return tinyEncoder().encode(texts, wanted);
}

/** A writer in a process of its own: its exit code, or the signal that ended it, and its counts. */
function writer(...words: (string | number)[]): Promise<{ end: number | string | null; stdout: string }> {
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL("./cache-writer.ts", import.meta.url));
    const child = spawn(process.execPath, [script, ...words.map(String)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ end: signal ?? code, stdout }));
  });
}

const packsIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".pack"))
    .map((name) => join(folder, name));

const TEXTS = numberedTexts(0, 40);

describe("a second run over the same texts", () => {
  it("encodes nothing and gives the same to the bit, in whatever order they are asked for", async () => {
    const folder = newFolder();
    const first = await runOnce(folder, TEXTS);
    expect(first.counts).toEqual({ hits: 0, misses: 40 });
    const second = await runOnce(folder, [...TEXTS].reverse());
    expect(second).toMatchObject({ encoded: [], counts: { hits: 40, misses: 0 } });
    expect([...second.encodings].reverse()).toEqual(first.encodings);
    expect(first.encodings).toEqual(await fresh(TEXTS));
  });

  it("writes nothing", async () => {
    const folder = newFolder();
    await runOnce(folder, TEXTS);
    const before = packsIn(folder);
    await runOnce(folder, TEXTS);
    expect(packsIn(folder)).toEqual(before);
  });

  it("encodes only the texts that are new", async () => {
    const folder = newFolder();
    await runOnce(folder, TEXTS.slice(0, 30));
    const { encoded, encodings } = await runOnce(folder, TEXTS);
    expect(encoded).toEqual(TEXTS.slice(30));
    expect(encodings).toEqual(await fresh(TEXTS));
  });
});

describe("a text that is asked for more than once", () => {
  it("is encoded once and stands in every place, within a call and in the next one", async () => {
    const inner = tinyEncoder();
    const cached = cachedEncoder(inner, newFolder());
    const texts = ["river", "moon", "river", "", "moon", "river", ""];
    const progress: number[] = [];
    const encodings = await cached.encode(texts, WANTED, (count) => progress.push(count));
    expect(inner.encoded).toEqual(["river", "moon", ""]);
    expect(encodings).toEqual(await fresh(texts));
    expect(progress.reduce((sum, count) => sum + count, 0)).toBe(texts.length);
    expect(await cached.encode(["", "river"], WANTED)).toEqual(await fresh(["", "river"]));
    expect(inner.encoded.length).toBe(3);
    await cached.close();
  });
});

describe("an encoding", () => {
  it("is the caller's own: what is done to one is done to no other, nor to what is kept", async () => {
    const folder = newFolder();
    const texts = ["river", "moon", "river", "river"];
    const unchanged = await fresh(texts);
    for (let run = 0; run < 2; run++) {
      const { encodings } = await runOnce(folder, texts);
      // As the indexer does, which rotates each vector where it lies.
      for (const { dense, sparse } of encodings) {
        dense!.forEach((value, j) => {
          dense![j] = 2 * value;
        });
        sparse!.values.forEach((value, j) => {
          sparse!.values[j] = 2 * value;
        });
      }
      encodings.forEach(({ dense, sparse }, at) => {
        expect(dense).toEqual(unchanged[at]!.dense!.map((value) => 2 * value));
        expect(sparse!.values).toEqual(unchanged[at]!.sparse!.values.map((value) => 2 * value));
      });
    }
  });
});

describe("an entry", () => {
  const variants: readonly Wanted[] = [
    WANTED,
    { ...WANTED, role: "query" },
    { ...WANTED, task: "same" },
    { ...WANTED, sparse: false },
    { ...WANTED, dense: false },
  ];

  it("is never shared between roles, tasks or the sides that were asked for", async () => {
    const folder = newFolder();
    for (const wanted of variants) {
      const { encoded, encodings } = await runOnce(folder, TEXTS, { wanted });
      expect(encoded).toEqual(TEXTS);
      expect(encodings).toEqual(await fresh(TEXTS, wanted));
    }
    for (const wanted of variants) {
      const { encoded, encodings } = await runOnce(folder, TEXTS, { wanted });
      expect(encoded).toEqual([]);
      expect(encodings).toEqual(await fresh(TEXTS, wanted));
    }
  });

  it("is never shared between models, nor between prompts of one model", async () => {
    const folder = newFolder();
    const prompts = ["", "query: ", "passage: "];
    const encoders = [
      () => tinyEncoder({ sparse: false }),
      ...prompts.map(
        (prompt) => () => tinyEncoder({ tasks: { search: { query_prompt: prompt, document_prompt: "" } } }),
      ),
      ...prompts
        .slice(1)
        .map(
          (prompt) => () => tinyEncoder({ tasks: { search: { query_prompt: "", document_prompt: prompt } } }),
        ),
    ];
    const wanted: Wanted = { ...WANTED, sparse: false };
    for (const inner of encoders)
      expect((await runOnce(folder, TEXTS, { inner: inner(), wanted })).encoded).toEqual(TEXTS);
    for (const inner of encoders)
      expect((await runOnce(folder, TEXTS, { inner: inner(), wanted })).encoded).toEqual([]);
  });

  it("is found by the whole text: neither spaces nor case nor what reads alike is taken for the same", async () => {
    const texts = ["sea", "Sea", "sea ", " sea", "sea\0", "se", "a", "sea\n", "caf\u00e9", "cafe\u0301"];
    const folder = newFolder();
    expect((await runOnce(folder, texts)).encoded).toEqual(texts);
    expect((await runOnce(folder, texts)).encoded).toEqual([]);
  });
});

describe("a run that is stopped", () => {
  it("by an error of the encoder is taken up where it was saved last", async () => {
    const folder = newFolder();
    const texts = numberedTexts(0, 3 * SLICE + 7);
    const inner = tinyEncoder();
    const failing: Encoder = {
      ...inner,
      encode: (some, wanted) =>
        inner.encoded.length >= 2 * SLICE
          ? Promise.reject(new Error("no power"))
          : inner.encode(some, wanted),
    };
    // Not closed: a process that dies closes nothing.
    const stopped: CachedEncoder = cachedEncoder(failing, folder);
    await expect(stopped.encode(texts, WANTED)).rejects.toThrow("no power");
    const { encoded, encodings } = await runOnce(folder, texts);
    expect(encoded).toEqual(texts.slice(2 * SLICE));
    expect(encodings).toEqual(await fresh(texts));
    await stopped.close();
  });

  it("by being killed is taken up where it was saved last", async () => {
    const folder = newFolder();
    const killed = await writer(folder, 0, 3 * SLICE, 2 * SLICE);
    expect(killed).toEqual({ end: "SIGKILL", stdout: "" });
    const texts = numberedTexts(0, 3 * SLICE);
    const { encoded, encodings } = await runOnce(folder, texts);
    expect(encoded).toEqual(texts.slice(2 * SLICE));
    expect(encodings).toEqual(await fresh(texts));
  });
});

describe("two processes at once", () => {
  it("lose nothing of each other, of what they share either", async () => {
    const folder = newFolder();
    const ended = await Promise.all([writer(folder, 0, 3 * SLICE), writer(folder, SLICE, 3 * SLICE)]);
    expect(ended.map(({ end }) => end)).toEqual([0, 0]);
    expect(packsIn(folder).length).toBe(2);
    const texts = numberedTexts(0, 4 * SLICE);
    const { encoded, encodings } = await runOnce(folder, texts);
    expect(encoded).toEqual([]);
    expect(encodings).toEqual(await fresh(texts));
  });
});

describe("a damaged pack", () => {
  /** A run over a cache of which the only pack was treated so, and one more behind it. */
  async function afterDamage(damage: (path: string) => void) {
    const folder = newFolder();
    await runOnce(folder, TEXTS);
    damage(packsIn(folder)[0]!);
    const repaired = await runOnce(folder, TEXTS);
    return { repaired, later: await runOnce(folder, TEXTS) };
  }

  it("cut off costs the texts behind the cut, which are encoded again and kept", async () => {
    const { repaired, later } = await afterDamage((path) =>
      truncateSync(path, readFileSync(path).length >> 1),
    );
    const { encoded, encodings } = repaired;
    expect(encoded.length).toBeGreaterThan(0);
    expect(encoded).toEqual(TEXTS.slice(-encoded.length));
    expect(encoded.length).toBeLessThan(TEXTS.length);
    expect(encodings).toEqual(await fresh(TEXTS));
    expect(later.encoded).toEqual([]);
    expect(later.encodings).toEqual(await fresh(TEXTS));
  });

  it("with bits flipped costs the texts they are in, and none of the wrong numbers is used", async () => {
    const { repaired, later } = await afterDamage((path) => {
      const bytes = readFileSync(path);
      // In the values: behind the first header and at the very end.
      for (const at of [30, bytes.length - 1]) bytes[at]! ^= 4;
      writeFileSync(path, bytes);
    });
    expect(repaired.encoded).toEqual([TEXTS[0], TEXTS.at(-1)]);
    expect(repaired.encodings).toEqual(await fresh(TEXTS));
    expect(later.encoded).toEqual([]);
    expect(later.encodings).toEqual(await fresh(TEXTS));
  });

  it("emptied, or of something else altogether, costs all its texts", async () => {
    for (const content of [Buffer.alloc(0), Buffer.alloc(4096), Buffer.alloc(999, 255), Buffer.from("{}")]) {
      const { repaired, later } = await afterDamage((path) => writeFileSync(path, content));
      expect(repaired.encoded).toEqual(TEXTS);
      expect(repaired.encodings).toEqual(await fresh(TEXTS));
      expect(later.encoded).toEqual([]);
    }
  });

  it("in the middle of a run costs only what was damaged", async () => {
    const folder = newFolder();
    await runOnce(folder, TEXTS);
    const inner = tinyEncoder();
    const cached = cachedEncoder(inner, folder);
    const [pack] = packsIn(folder);
    const bytes = readFileSync(pack!);
    bytes[30]! ^= 1;
    writeFileSync(pack!, bytes);
    expect(await cached.encode(TEXTS, WANTED)).toEqual(await fresh(TEXTS));
    expect(inner.encoded).toEqual([TEXTS[0]]);
    await cached.close();
  });
});
