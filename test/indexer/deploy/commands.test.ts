import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GENERATED } from "../../../indexer/deploy/plan.ts";
import { lightedge } from "../../helpers/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "lightedge-deploy-"));
const CONFIG = join(folder, "lightedge.yaml");
const KEY = "0123456789abcdef-not-to-be-seen";
const LEAST = "indexes:\n  - {index: docs, sources: [docs]}\n";

beforeAll(() => {
  writeFileSync(CONFIG, `name: team\nstore: r2://search\nregions: [weur, enam]\n${LEAST}`);
  process.env.ADMIN_KEY = KEY;
});
afterAll(() => {
  delete process.env.ADMIN_KEY;
  rmSync(folder, { recursive: true });
});

describe("lightedge deploy --dry-run", () => {
  it("prints every command and the configuration, no secret, and writes nothing", async () => {
    const written = existsSync(GENERATED);
    const { code, stdout, stderr } = await lightedge("deploy", CONFIG, "--dry-run");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("npx wrangler r2 bucket create search-enam --location enam\n");
    expect(stdout).toContain("npx wrangler deploy --config wrangler.generated.toml\n");
    expect(stdout).toContain("< {ADMIN_KEY of the environment}\n");
    expect(stdout).toContain(`lightedge reindex ${CONFIG}\n`);
    expect(stdout).toContain('REGIONS = "weur,enam"\n');
    expect(stdout).not.toContain(KEY);
    expect(existsSync(GENERATED)).toBe(written);
  });

  it("prints the configuration that lightedge regions --wrangler prints", async () => {
    const { stdout } = await lightedge("regions", CONFIG, "--wrangler", "--json");
    const { wrangler } = JSON.parse(stdout) as { readonly wrangler: string };
    const plan = await lightedge("deploy", CONFIG, "--dry-run", "--json");
    expect((JSON.parse(plan.stdout) as { readonly generated: string }).generated).toBe(wrangler);
  });

  it("refuses stores that no Worker can bind, before anything is made", async () => {
    const file = join(folder, "folders.yaml");
    writeFileSync(file, `name: team\nstore: file:out\nregions: [weur]\n${LEAST}`);
    const { code, stderr } = await lightedge("deploy", file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/folders\.yaml:3: the store is "file:.*; a Worker reads R2 buckets/u);
  });

  it("refuses to begin where the last step could not be done for want of an account", async () => {
    const account = process.env.CLOUDFLARE_ACCOUNT_ID;
    delete process.env.CLOUDFLARE_ACCOUNT_ID;
    const { code, stderr } = await lightedge("deploy", CONFIG);
    if (account !== undefined) process.env.CLOUDFLARE_ACCOUNT_ID = account;
    expect(code).toBe(2);
    expect(stderr).toContain("Set CLOUDFLARE_ACCOUNT_ID to the account's id");
  });
});
