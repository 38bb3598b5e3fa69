import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { Config } from "../../../indexer/config/config.ts";
import { commandsOf, planDeploy, type Step } from "../../../indexer/deploy/plan.ts";
import { type DeployPorts, type Ran, runPlan } from "../../../indexer/deploy/run-plan.ts";
import { type RegionName, regionOf } from "../../../shared/regions/region.ts";

const KEY = "0123456789abcdef-not-to-be-seen";

function configOf(...names: RegionName[]): Config {
  return {
    file: "lightedge.yaml",
    name: "team",
    store: "r2://search",
    regions: names.map((name, at) => ({
      region: regionOf(name),
      store: at === 0 ? "r2://search" : `r2://search-${name}`,
      line: 3 + at,
    })),
    cache: ".lightedge/cache",
    device: "auto",
    indexes: [],
  };
}

function plan(
  names: readonly RegionName[],
  environment: Record<string, string> = {},
  publish = true,
): readonly Step[] {
  return planDeploy({ config: configOf(...names), base: 'name = "x"\n', environment, publish });
}

/** An account: which buckets it has, what it was asked for, and at which command it fails. */
class Account implements DeployPorts {
  readonly buckets = new Set<string>();
  readonly asked: string[] = [];
  readonly said: string[] = [];
  readonly files = new Map<string, string>();
  input: string | undefined;
  published = 0;
  fails: RegExp | null = null;

  async wrangler(words: readonly string[], input?: string): Promise<Ran> {
    const line = words.join(" ");
    this.asked.push(line);
    if (this.fails?.test(line)) return { code: 1, output: `✘ [ERROR] no: ${input ?? ""}\n` };
    const [, , verb, name = ""] = words;
    if (verb === "info" && !this.buckets.has(name)) return { code: 1, output: "not there" };
    if (verb === "create" && this.buckets.has(name)) return { code: 1, output: "is there already" };
    if (verb === "create") this.buckets.add(name);
    if (input !== undefined) this.input = input;
    return { code: 0, output: "" };
  }
  async write(file: string, text: string): Promise<void> {
    this.asked.push(`write ${file}`);
    this.files.set(file, text);
  }
  async build(): Promise<void> {
    this.asked.push("build");
  }
  async publish(): Promise<number> {
    this.asked.push("publish");
    if (this.fails?.test("publish")) return 1;
    this.published++;
    return 0;
  }
  secret(): string {
    return KEY;
  }
  say(line: string): void {
    this.said.push(line);
  }
}

describe("a plan", () => {
  it("makes buckets near their regions, then uploads, sets secrets and publishes", () => {
    const steps = plan(["weur", "sam", "apac-ne"], { ADMIN_KEY: KEY, HOME: "x" });
    expect(steps.flatMap(commandsOf)).toEqual([
      "npx wrangler r2 bucket info search || npx wrangler r2 bucket create search --location weur",
      // No bucket can be made in South America.
      "npx wrangler r2 bucket info search-sam || npx wrangler r2 bucket create search-sam --location enam",
      "npx wrangler r2 bucket info search-apac-ne || npx wrangler r2 bucket create search-apac-ne --location apac",
      expect.stringMatching(/^lightedge deploy: write wrangler\.generated\.toml, \d+ lines$/u),
      "npm run build",
      "npx wrangler deploy --config wrangler.generated.toml",
      "npx wrangler secret bulk --config wrangler.generated.toml < {ADMIN_KEY of the environment}",
      "lightedge reindex lightedge.yaml",
    ]);
  });

  it("is the same for the same, and has no secret in it", () => {
    const once = plan(["weur"], { ADMIN_KEY: KEY });
    expect(plan(["weur"], { ADMIN_KEY: KEY })).toEqual(once);
    expect(JSON.stringify(once)).not.toContain(KEY);
  });

  it("sets no secrets where there are none, and publishes nothing where that is not wanted", () => {
    expect(plan([], { ADMIN_KEY: "" }, false).map(({ kind }) => kind)).toEqual([
      "bucket",
      "write",
      "build",
      "worker",
    ]);
  });

  it("keeps data where the law wants it, instead of near somebody", () => {
    const config = { ...configOf(), store: "r2://search?jurisdiction=eu" };
    const [step] = planDeploy({ config, base: 'name = "x"\n', environment: {}, publish: false });
    expect(commandsOf(step!)).toEqual([
      "npx wrangler r2 bucket info search --jurisdiction eu || npx wrangler r2 bucket create search --jurisdiction eu",
    ]);
  });

  it.each(["short", "with a space in it, though long"])(
    "is refused for a secret that the Worker would not take, which is not repeated: %s",
    (secret) => {
      const attempt = () => plan(["weur"], { ALARM_SECRET: secret });
      expect(attempt).toThrow(/^ALARM_SECRET must be at least 16 visible ASCII characters/u);
      expect(attempt).not.toThrow(secret);
    },
  );

  it("asks wrangler for what it has: every option is in its help", { timeout: 120_000 }, async () => {
    const entry = join(
      dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
      "bin/wrangler.js",
    );
    const config = { ...configOf("weur", "enam"), store: "r2://search?jurisdiction=eu" };
    const steps = [
      ...plan(["weur"], { ADMIN_KEY: KEY }),
      ...planDeploy({ config, base: "", environment: {}, publish: false }),
    ];
    const commands = steps.flatMap((step) => {
      if (step.kind === "bucket") return [step.look, step.make];
      return step.kind === "worker" || step.kind === "secrets" ? [step.words] : [];
    });
    const wanted = new Map<string, Set<string>>();
    for (const words of commands) {
      const verbs = words[0] === "r2" ? words.slice(0, 3) : words.slice(0, words[0] === "secret" ? 2 : 1);
      const options = words.filter((word) => word.startsWith("--"));
      const known = wanted.get(verbs.join(" ")) ?? new Set<string>();
      wanted.set(verbs.join(" "), new Set([...known, ...options]));
    }
    expect([...wanted.keys()]).toEqual(["r2 bucket info", "r2 bucket create", "deploy", "secret bulk"]);
    for (const [verbs, options] of wanted) {
      const { stdout } = await promisify(execFile)(process.execPath, [entry, ...verbs.split(" "), "--help"], {
        env: { ...process.env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" },
      });
      for (const option of options) expect(stdout, `${verbs} ${option}`).toContain(option);
    }
  });
});

describe("a plan that is carried out", () => {
  it("does every step once, and the second time makes no bucket", async () => {
    const account = new Account();
    const steps = plan(["weur", "enam"], { ADMIN_KEY: KEY });
    expect(await runPlan(steps, account)).toEqual([
      "bucket search: made",
      "bucket search-enam: made",
      "wrangler.generated.toml: written",
      "build: up to date",
      "Worker: deployed",
      "secrets ADMIN_KEY: set",
      "indexes: published to every region",
    ]);
    expect(account.files.get("wrangler.generated.toml")).toContain('REGIONS = "weur,enam"');
    expect(await runPlan(steps, account)).toContain("bucket search-enam: is there");
    expect(account.asked.filter((line) => line.includes("create"))).toHaveLength(2);
    expect(account.published).toBe(2);
  });

  it("gives secrets to standard input and to nothing else", async () => {
    const account = new Account();
    const done = await runPlan(plan(["weur"], { ADMIN_KEY: KEY, ALARM_SECRET: KEY }), account);
    expect(JSON.parse(account.input!)).toEqual({ ADMIN_KEY: KEY, ALARM_SECRET: KEY });
    const seen = [...done, ...account.asked, ...account.said, ...account.files.values()].join("\n");
    expect(seen).not.toContain(KEY);
  });

  it.each([
    [/bucket create search-enam/u, "bucket search-enam", ["bucket search: made"]],
    [/^deploy/u, "Worker", ["bucket search: made", "build: up to date"]],
    [/^secret/u, "secrets ADMIN_KEY", ["Worker: deployed"]],
    [/^publish/u, "indexes", ["secrets ADMIN_KEY: set"]],
  ])(
    "stops at what fails, %s, says what is done and left, and goes on from there",
    async (fails, title, done) => {
      const account = new Account();
      account.fails = fails;
      const steps = plan(["weur", "enam"], { ADMIN_KEY: KEY });
      const error: unknown = await runPlan(steps, account).catch((thrown: unknown) => thrown);
      const { code, message } = error as { code: string; message: string };
      expect(code).toBe("store/unavailable");
      expect(message).toContain(`The step "${title}" failed.`);
      for (const line of done) expect(message).toContain(line);
      expect(message).toContain("Run the same command again");
      expect(message).toMatch(new RegExp(`^Left: ${title}`, "mu"));
      // What wrangler repeats of its input is hidden.
      expect(message).not.toContain(KEY);
      const stoppedAt = account.asked.length;
      account.fails = null;
      await runPlan(steps, account);
      expect(account.published).toBe(1);
      expect(account.asked.length).toBeGreaterThan(stoppedAt);
      expect([...account.buckets]).toEqual(["search", "search-enam"]);
    },
  );

  it("stops at what cannot be started or written, in the words of the system", async () => {
    const account = new Account();
    account.write = () => Promise.reject(new Error("ENOSPC: no space left on device"));
    await expect(runPlan(plan(["weur"]), account)).rejects.toThrow("no space left on device");
  });
});
