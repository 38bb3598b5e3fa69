/** Rules of the house that no compiler checks: who may import whom, sizes, comments, dependencies, committed text. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const LONGEST_FILE = 400;
const MOST_DEPENDENCIES = 5;

/** Files that are committed, or would be: what git ignores is left out. */
const FILES = git("ls-files", "--cached", "--others", "--exclude-standard").filter((file) =>
  existsSync(resolve(ROOT, file)),
);
const SOURCES = FILES.filter(
  (file) =>
    /^(shared|edge|indexer)\/.*\.(ts|mjs)$/u.test(file) && !file.startsWith("shared/kernels/assembly/"),
);

function git(...words: string[]): string[] {
  return execFileSync("git", words, { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 26 })
    .split("\n")
    .filter((line) => line !== "");
}

function read(file: string): string {
  return readFileSync(resolve(ROOT, file), "utf8");
}

/** What a file imports: paths from the root for its own code, names for all else. */
function importsOf(file: string): string[] {
  const found = read(file).matchAll(
    /^(?:import|export)\b[^;]*?\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gmu,
  );
  return Array.from(found, ([, from, bare, dynamic]) => {
    const name = from ?? bare ?? dynamic ?? "";
    return name.startsWith(".") ? relative(ROOT, resolve(ROOT, dirname(file), name)) : name;
  });
}

/** `file -> import` for every import of a folder's files that breaks a rule. */
function wrongImports(folder: string, isWrong: (name: string) => boolean): string[] {
  return SOURCES.filter((file) => file.startsWith(`${folder}/`)).flatMap((file) =>
    importsOf(file)
      .filter(isWrong)
      .map((name) => `${file} -> ${name}`),
  );
}

/** Source without comments and texts, which may speak of anything. */
function codeOnly(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/gu, "");
}

describe("imports", () => {
  it("finds the imports of a file, or the rules below would hold for nothing", () => {
    expect(importsOf("indexer/cli.ts")).toContain("shared/errors.ts");
    expect(importsOf("indexer/cli.ts")).toContain("indexer/commands/search.ts");
    expect(importsOf("indexer/bin.mjs")).toContain("indexer/cli.ts");
  });

  it("lead out of shared to neither the indexer nor the edge nor Node", () => {
    expect(wrongImports("shared", (name) => /^(indexer|edge|test|bench)\/|^node:/u.test(name))).toEqual([]);
  });

  it("lead from the edge to nothing of the indexer or of Node", () => {
    expect(wrongImports("edge", (name) => /^(indexer|test|bench)\/|^node:/u.test(name))).toEqual([]);
  });

  it("lead from the indexer to nothing of the edge", () => {
    expect(wrongImports("indexer", (name) => /^(edge|test)\//u.test(name))).toEqual([]);
  });
});

describe("source files", () => {
  it("are there to be looked at", () => {
    for (const folder of ["shared", "edge", "indexer"])
      expect(SOURCES.filter((file) => file.startsWith(`${folder}/`)).length).toBeGreaterThan(10);
  });

  it("have at most 400 lines, and so have tests", () => {
    const tests = FILES.filter((file) => file.startsWith("test/") && file.endsWith(".ts"));
    const long = [...SOURCES, ...tests].filter(
      (file) => read(file).trimEnd().split("\n").length > LONGEST_FILE,
    );
    expect(long).toEqual([]);
  });

  it("never use the type that turns checking off", () => {
    const pattern = new RegExp(`(?:[:<|&,]|\\bas|\\bsatisfies)\\s*${"an"}y\\b(?!\\s*:)`, "u");
    expect(pattern.test(`const a: ${"an"}y = 1`)).toBe(true);
    expect(SOURCES.filter((file) => pattern.test(codeOnly(read(file))))).toEqual([]);
  });

  it("leave no note about work to be done", () => {
    const pattern = new RegExp(`\\b(?:${"TO"}DO|${"FIX"}ME|${"XX"}X)\\b`, "u");
    expect(SOURCES.filter((file) => pattern.test(read(file)))).toEqual([]);
  });

  it("say in a comment what each thing is that shared exports", () => {
    const bare = FILES.filter((file) => /^shared\/.*\.ts$/u.test(file)).flatMap((file) => {
      const lines = read(file).split("\n");
      return lines.flatMap((line, at) => {
        const isExport = /^export (?:async )?(?:function|class|const|interface|type)\b(?! \{)/u.test(line);
        // AssemblyScript has decorators between the comment and its function.
        let before = at - 1;
        while (/^\/\/ @ts-|^@\w+$/u.test(lines[before] ?? "")) before--;
        const documented = lines[before]?.trimEnd().endsWith("*/") ?? false;
        return isExport && !documented ? [`${file}:${at + 1}`] : [];
      });
    });
    expect(bare).toEqual([]);
  });
});

/**
 * Where product code touches the world's clock and randomness, each as the default of a port that tests replace or as
 * the outermost layer that nothing sits on. This list may only become shorter.
 */
const WORLD: Readonly<Record<string, string>> = {
  "edge/app.ts": "an id for each request",
  "edge/collect.ts": "the ports of garbage collection",
  "edge/index-cache.ts": "how long a request waits for another's load",
  "edge/index.ts": "the ports of the Worker",
  "edge/isolate.ts": "the age of a load of a shard",
  "edge/page/client.ts": "the round trip that the page shows",
  "edge/page/page.ts": "when a screen reader is told, in the browser",
  "edge/page/regions/load.ts": "searches at a steady pace, and the round trip that the page shows",
  "edge/page/regions/regions.ts": "when the page looks again and draws again, in the browser",
  "edge/pause.ts": "waiting, where that is a port",
  "edge/read-twice.ts": "the wait before a second read",
  "edge/shards/object-shards.ts": "how long a search waits for a shard",
  "edge/shards/shard-object.ts": "the ports of a shard object",
  "indexer/build.ts": "the name of the object that a store is tried with, by default",
  "indexer/commands/demo.ts": "the date in a manifest",
  "indexer/commands/eval.ts": "the date in a manifest",
  "indexer/commands/export.ts": "a name for a file beside another",
  "indexer/commands/gc.ts": "the name of the object that a store is tried with",
  "indexer/commands/index.ts": "the date in a manifest",
  "indexer/commands/regions.ts": "how old versions are",
  "indexer/commands/reindex.ts": "the date in a manifest",
  "indexer/commands/rollback.ts": "the date in a manifest",
  "indexer/commands/serve.ts": "the wait between two looks at home's pointers",
  "indexer/dry-run.ts": "how long a part of the work takes, by default",
  "indexer/encode/onnx.ts": "how long a batch takes, by default",
  "indexer/encode/packs.ts": "a name for a new pack in a folder",
  "indexer/encode/part.ts": "how long encoding takes, by default",
  "indexer/encode/shared-cache.ts": "a name for a file that is being fetched",
  "indexer/engine-node.ts": "the ports of the engine",
  "indexer/progress.ts": "how long a stage takes, by default",
  "indexer/serve/inside/link.ts": "how long a call is on its way in local serving",
  "indexer/serve/inside/objects.ts": "how long a reset waits for calls to end, in local serving",
  "indexer/serve/store-link.ts":
    "how long a read is on its way in local serving, and which ones fail, by default",
  "indexer/sources/page-reader.ts": "a deadline for a page that is parsed in another thread",
  "indexer/store/disk.ts": "a name for a file that is being written, and the age of those left behind",
  "indexer/store/gc.ts": "the ports of garbage collection",
  "indexer/store/lease.ts": "the ports of a lease",
  "indexer/store/publish.ts": "the ports of publishing",
  "indexer/store/retry.ts": "the ports of retries",
  "indexer/store/s3-session.ts": "the alarm of a request, by default",
  "shared/store/memory.ts": "the clock of a store in memory, by default",
};

describe("clock and randomness", () => {
  const USES =
    /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bMath\.random\b|\bset(?:Timeout|Interval)\b|\bcrypto\.(?:randomUUID|getRandomValues)\b/u;
  const IMPORTS =
    /^import\b[^;]*\b(?:random(?:Bytes|UUID|Int)|webcrypto)\b[^;]*from "node:crypto"|from "node:timers(?:\/promises)?"/mu;
  const touches = (text: string) => USES.test(codeOnly(text)) || IMPORTS.test(text);

  it("are told from ports and comments that speak of them", () => {
    expect(touches("const at = Date.now();")).toBe(true);
    expect(touches("const now: () => number = Date.now")).toBe(true);
    expect(touches("created: new Date()")).toBe(true);
    expect(touches('import { createHash, randomBytes } from "node:crypto";')).toBe(true);
    expect(touches('import { setTimeout as pause } from "node:timers/promises";')).toBe(true);
    expect(touches("// Not Date.now.\nconst at = ports.now() + ports.randomBytes(16).length;")).toBe(false);
    expect(touches('import { createHash } from "node:crypto";\nconst day = new Date(0);')).toBe(false);
  });

  it("of the world are touched where it is stated why, and nowhere else", () => {
    const found = SOURCES.filter((file) => touches(read(file)));
    expect(found.sort()).toEqual(Object.keys(WORLD).sort());
  });
});

describe("dependencies", () => {
  const manifest = JSON.parse(read("package.json")) as Readonly<
    Record<"dependencies" | "devDependencies" | "overrides", Readonly<Record<string, string>>>
  >;

  it("are few at run time", () => {
    expect(Object.keys(manifest.dependencies).length).toBeLessThanOrEqual(MOST_DEPENDENCIES);
  });

  it("have exact versions", () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.overrides };
    expect(
      Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/u.test(version)),
    ).toEqual([]);
  });

  it("are named in the manifest by whoever imports them, and not only brought along by another", () => {
    const named = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    const code = FILES.filter((file) => /^(shared|edge|indexer|test|bench)\/.*\.(ts|mjs)$/u.test(file));
    const unnamed = code
      .filter((file) => !file.startsWith("shared/kernels/assembly/"))
      .flatMap((file) => importsOf(file).map((name) => ({ file, name })))
      .filter(({ name }) => !/^(?:node|cloudflare):|^(?:shared|edge|indexer|test|bench|build)\//u.test(name))
      .filter(
        ({ name }) =>
          !named.some((known) => known === `@types/${name}` || `${name}/`.startsWith(`${known}/`)),
      )
      .map(({ file, name }) => `${file} -> ${name}`);
    expect(unnamed).toEqual([]);
  });

  it("are locked without the address of the registry that served them", () => {
    expect(read("package-lock.json")).not.toContain(`"resolved"`);
    expect(read("package-lock.json")).toContain(`"integrity"`);
  });
});

describe("committed text", () => {
  it("names no folder of somebody's machine and no host of a registry", () => {
    const folders = [`/${"work"}/`, `/${"home"}/`, `/${"root"}/`, `/${"Users"}/`].map(
      (folder) => `(?<![\\w.:/*-])${folder}\\w`,
    );
    const hosts = [`${"registry"}\\.npmjs`, `${"registry"}\\.yarnpkg`, `arti${"factory"}`, `${"npm"}mirror`];
    const pattern = new RegExp([...folders, ...hosts].join("|"), "u");
    const found = FILES.flatMap((file) => {
      const bytes = readFileSync(resolve(ROOT, file));
      // A zero byte makes a file binary, as for git.
      if (bytes.includes(0)) return [];
      const match = pattern.exec(bytes.toString("utf8"));
      return match === null ? [] : [`${file}: ${match[0]}`];
    });
    expect(found).toEqual([]);
  });
});
