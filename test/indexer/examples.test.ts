/** The examples of running on a schedule: each file parsed, each command line in it understood. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { COMMANDS } from "../../indexer/cli.ts";
import { parseArguments } from "../../indexer/commands/command.ts";
import { runnerOptionsOf } from "../../indexer/commands/runner-options.ts";
import { loadConfig } from "../../indexer/config/config.ts";
import { lightedge } from "../helpers/command-line.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lightedge-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (file: string) => readFileSync(join(EXAMPLES, file), "utf8");

/** The words of every `lightedge` in a shell line, without the program's name. */
function commandsIn(line: string): string[][] {
  return line.split(/&&|\|\||[|;]/u).flatMap((command) => {
    const words = command
      .replace(/\s[0-9]?>{1,2}\s*\S+/gu, "")
      .trim()
      .split(/\s+/u);
    const at = words.indexOf("lightedge");
    return at < 0 || !["", "npx", "exec"].includes(words[at - 1] ?? "") ? [] : [words.slice(at + 1)];
  });
}

/** Parses words as the program would, to the last bound; throws what it would. */
function understood([verb, ...words]: readonly string[]) {
  const command = COMMANDS.find(({ name }) => name === verb);
  if (command === undefined) throw new Error(`There is no command ${verb}.`);
  const args = parseArguments(command, words);
  if (["index", "reindex"].includes(command.name)) runnerOptionsOf(args);
  return args;
}

const partsOf = (lines: readonly string[]) =>
  lines.flatMap(commandsIn).map((words) => runnerOptionsOf(understood(words)).part);

const allOf = (of: number) => Array.from({ length: of }, (_, at) => ({ number: at + 1, of }));

describe("this test", () => {
  it("finds the command in a line of shell, and refuses one that the program would refuse", () => {
    expect(commandsIn("cd /srv && npx lightedge reindex a.yaml --json > out.json 2>> log | tee x")).toEqual([
      ["reindex", "a.yaml", "--json"],
    ]);
    expect(commandsIn("echo lightedge reindex")).toEqual([]);
    expect(() => understood(["reindex", "a.yaml", "--part", "5/4"])).toThrow(/--part/u);
    expect(() => understood(["reindex", "a.yaml", "--jsno"])).toThrow(/--jsno/u);
  });
});

describe("the workflow for GitHub Actions", () => {
  interface Step {
    readonly run?: string;
    readonly uses?: string;
    readonly with?: Readonly<Record<string, string>>;
  }
  interface Job {
    readonly needs?: string;
    readonly "timeout-minutes": number;
    readonly strategy?: { readonly matrix: { readonly part: readonly string[] } };
    readonly steps: readonly Step[];
  }
  const workflow = parse(read("github-actions/reindex.yml")) as {
    readonly on: { readonly schedule: readonly { readonly cron: string }[] };
    readonly concurrency: { readonly "cancel-in-progress": boolean };
    readonly permissions: Readonly<Record<string, string>>;
    readonly env: Readonly<Record<string, string>>;
    readonly jobs: { readonly encode: Job; readonly publish: Job };
  };
  const { encode, publish } = workflow.jobs;
  const linesOf = ({ steps }: Job) => steps.flatMap(({ run }) => (run === undefined ? [] : [run]));

  it("runs every part of the matrix once, and then publishes", () => {
    const parts = encode.strategy!.matrix.part;
    const lines = parts.flatMap((part) =>
      // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's.
      linesOf(encode).map((line) => line.replaceAll("${{ matrix.part }}", part)),
    );
    expect(lines.filter((line) => line.includes("{{"))).toEqual([]);
    expect(partsOf(lines)).toEqual(allOf(parts.length));
    expect(publish.needs).toBe("encode");
    expect(partsOf(linesOf(publish))).toEqual([undefined]);
  });

  it("keeps encodings between runs where the config's default keeps them", () => {
    for (const job of [encode, publish]) {
      const cache = job.steps.find(({ uses }) => uses?.startsWith("actions/cache@"));
      expect(cache?.with?.path).toBe(".lightedge/cache");
    }
  });

  it("has its secrets from the environment, may write nothing in the repository and cuts no run off", () => {
    expect(workflow.env.R2_SECRET_ACCESS_KEY).toBe(`\${{ secrets.R2_SECRET_ACCESS_KEY }}`);
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(workflow.concurrency["cancel-in-progress"]).toBe(false);
    expect(workflow.on.schedule[0]?.cron.split(" ")).toHaveLength(5);
    for (const job of [encode, publish]) expect(job["timeout-minutes"]).toBeLessThan(360);
  });
});

describe("the jobs for Kubernetes", () => {
  interface Container {
    readonly command: readonly string[];
    readonly resources: {
      readonly requests: Record<string, string>;
      readonly limits: Record<string, string>;
    };
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }
  interface JobSpec {
    readonly completionMode?: string;
    readonly completions?: number;
    readonly parallelism?: number;
    readonly template: {
      readonly spec: {
        readonly restartPolicy: string;
        readonly containers: readonly [Container];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  }
  interface CronJob {
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly spec: {
      readonly concurrencyPolicy: string;
      readonly schedule: string;
      readonly jobTemplate: { readonly spec: JobSpec };
    };
  }
  const documents = parseAllDocuments(read("kubernetes/cronjob.yaml"));
  const jobs = documents.map((document) => document.toJS() as CronJob);
  const [encode, publish] = jobs.map(({ spec }) => spec.jobTemplate.spec);

  /** The shell line of a container, as the pod with this number runs it. */
  function lineOf({ command }: Container, index: number): string {
    const [first, , line] = command;
    const shell = first === "sh" ? line! : command.join(" ");
    return shell.replace("$((JOB_COMPLETION_INDEX + 1))", String(index + 1));
  }

  it("are sound YAML and never run beside themselves", () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    expect(jobs.map(({ kind, metadata, spec }) => [kind, metadata.name, spec.concurrencyPolicy])).toEqual([
      ["CronJob", "lightedge-encode", "Forbid"],
      ["CronJob", "lightedge-publish", "Forbid"],
    ]);
  });

  it("encode every part once, one in each pod, and publish with another", () => {
    const { completionMode, completions = 0, parallelism, template } = encode!;
    expect(completionMode).toBe("Indexed");
    expect(parallelism).toBe(completions);
    const lines = Array.from({ length: completions }, (_, index) =>
      lineOf(template.spec.containers[0], index),
    );
    expect(partsOf(lines)).toEqual(allOf(completions));
    expect(partsOf([lineOf(publish!.template.spec.containers[0], 0)])).toEqual([undefined]);
  });

  it("make every part of a table and of a corpus on the GPUs of one machine, a GPU for each", () => {
    interface Service {
      readonly command: readonly [string, string, string];
      readonly deploy: {
        readonly resources: {
          readonly reservations: { readonly devices: readonly [{ readonly device_ids: readonly string[] }] };
        };
      };
    }
    const { services } = parse(read("gpu/compose.yaml"), { merge: true }) as {
      readonly services: Readonly<Record<string, Service>>;
    };
    const all = Object.values(services);
    const words = all.map(({ command }) => commandsIn(command[2]));
    expect(words.map((each) => each.map(([verb]) => verb))).toEqual(all.map(() => ["table", "index"]));
    for (const verb of [0, 1])
      expect(words.map((each) => understood(each[verb]!).text("part"))).toEqual(["1/2", "2/2"]);
    const devices = all.map(({ deploy }) => deploy.resources.reservations.devices[0].device_ids);
    expect(devices).toEqual([["0"], ["1"]]);
  });

  it("have the one part that is all of it on a node with a GPU", () => {
    const patch = parse(read("kubernetes/gpu.yaml")) as { readonly spec: CronJob["spec"] };
    const { completions, template } = patch.spec.jobTemplate.spec;
    const [container] = template.spec.containers;
    expect(completions).toBe(1);
    expect(partsOf([lineOf(container, 0)])).toEqual([{ number: 1, of: 1 }]);
    expect(container.resources.limits["nvidia.com/gpu"]).toBe(1);
  });

  it("say what they need, and mount what they name", async () => {
    for (const { template } of [encode!, publish!]) {
      const { containers, volumes, restartPolicy } = template.spec;
      const [{ resources, volumeMounts }] = containers;
      expect(restartPolicy).toBe("OnFailure");
      expect(resources.requests.memory).toBeDefined();
      expect(resources.limits.memory).toBeDefined();
      expect(volumeMounts.map(({ name }) => name).sort()).toEqual(volumes.map(({ name }) => name).sort());
      const mounted = (path: string) =>
        volumeMounts.some(({ mountPath }) => `${path}/`.startsWith(`${mountPath}/`));
      const config = await loadConfig(join(EXAMPLES, "kubernetes/lightedge.yaml"), { BUCKET: "search" });
      expect(config.store).toBe("r2://search");
      expect(
        [config.cache, ...config.indexes.flatMap(({ spec }) => spec.sources), "/tmp"].filter(
          (path) => !mounted(path),
        ),
      ).toEqual([]);
    }
  });
});

describe("the crontab", () => {
  it("has five fields and a command that is understood in every line", () => {
    const lines = read("cron/crontab")
      .split("\n")
      .filter((line) => /^[0-9*]/u.test(line));
    expect(lines.length).toBe(2);
    for (const line of lines) {
      const [, command] = /^(?:\S+ ){5}(.*)$/u.exec(line)!;
      const found = commandsIn(command!);
      expect(found.length).toBe(1);
      for (const words of found) expect(() => understood(words)).not.toThrow();
    }
  });
});

describe("the config in examples/reindex", () => {
  it("names sources that are there, and indexes them; the second run has nothing to do", async () => {
    const copy = join(folder, "reindex");
    cpSync(join(EXAMPLES, "reindex"), copy, {
      recursive: true,
      filter: (path) => !/reindex\/(?:out|cache)/u.test(path),
    });
    const file = join(copy, "lightedge.yaml");
    const config = await loadConfig(file, {});
    expect(config.indexes.flatMap(({ spec }) => spec.sources).filter((path) => !existsSync(path))).toEqual(
      [],
    );

    const first = await lightedge("reindex", file, "--json");
    expect(first.code).toBe(0);
    const { name, indexes } = JSON.parse(first.stdout);
    expect(name).toBe("harbour-guide");
    expect(indexes).toMatchObject([
      { index: "guide", changed: true, documents: 3 },
      { index: "boats", changed: true, documents: 4, rejected: 0 },
    ]);
    const second = await lightedge("reindex", file);
    expect(second.code).toBe(0);
    expect(second.stdout).toContain("2 up to date.");
    const found = await lightedge(
      "search",
      "ice in the harbour",
      "--index",
      "boats",
      "--store",
      config.store,
      "--json",
    );
    expect(JSON.parse(found.stdout).hits[0].id).toBe("23");
    expect((await lightedge("check", "--index", "guide", "--store", config.store)).code).toBe(0);
  }, 120_000);
});
