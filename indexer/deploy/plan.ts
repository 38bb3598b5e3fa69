/** What a deployment consists of, as data: a pure function of the config, the hand-written configuration and the secrets there are. */
import { LightedgeError } from "../../shared/errors.ts";
import type { Config } from "../config/config.ts";
import { type Bucket, bucketsOf } from "./buckets.ts";
import { generateWrangler } from "./wrangler-config.ts";

/** Name of the configuration that is written, beside `wrangler.toml`. */
export const GENERATED = "wrangler.generated.toml";

/** Variables of the environment that become secrets of the Worker where they are set. */
export const SECRETS = ["ADMIN_KEY", "ALARM_SECRET"] as const;
/** One of them. */
export type SecretName = (typeof SECRETS)[number];
/** Characters of a secret at least, as the Worker wants it. */
const SECRET_LENGTH = 16;

/** One step. All of them may be repeated. */
export type Step =
  /** Made where `look` does not find it. */
  | {
      readonly kind: "bucket";
      readonly bucket: string;
      readonly look: readonly string[];
      readonly make: readonly string[];
    }
  | { readonly kind: "write"; readonly file: string; readonly text: string }
  | { readonly kind: "build" }
  | { readonly kind: "worker"; readonly words: readonly string[] }
  /** Their values go to standard input, and nowhere else. */
  | { readonly kind: "secrets"; readonly names: readonly SecretName[]; readonly words: readonly string[] }
  | { readonly kind: "publish"; readonly words: readonly string[] };

/** What a plan is made of. */
export interface PlanRequest {
  readonly config: Config;
  /** The text of `wrangler.toml`. */
  readonly base: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether the indexes are published too. */
  readonly publish: boolean;
}

/**
 * The steps in their order: buckets before the Worker that binds them, the Worker before its secrets, and before the first
 * versions, which an older Worker might not be able to read. Throws as `generateWrangler`, and `usage/invalid` for a secret that is too short.
 */
export function planDeploy({ config, base, environment, publish }: PlanRequest): readonly Step[] {
  const names = SECRETS.filter((name) => (environment[name] ?? "") !== "");
  for (const name of names) checkSecret(name, environment[name]!);
  const settings = ["--config", GENERATED];
  return [
    ...bucketsOf(config).map(bucketStep),
    { kind: "write", file: GENERATED, text: generateWrangler(base, config) },
    { kind: "build" },
    { kind: "worker", words: ["deploy", ...settings] },
    ...(names.length === 0
      ? []
      : [{ kind: "secrets", names, words: ["secret", "bulk", ...settings] } as const]),
    ...(publish ? [{ kind: "publish", words: ["reindex", config.file] } as const] : []),
  ];
}

function bucketStep({ name, region, jurisdiction }: Bucket): Step {
  const law = jurisdiction === null ? [] : ["--jurisdiction", jurisdiction];
  const place = jurisdiction === null && region !== null ? ["--location", region.bucketHint] : law;
  return {
    kind: "bucket",
    bucket: name,
    look: ["r2", "bucket", "info", name, ...law],
    make: ["r2", "bucket", "create", name, ...place],
  };
}

function checkSecret(name: SecretName, value: string): void {
  if (value.length >= SECRET_LENGTH && /^[\x21-\x7e]+$/u.test(value)) return;
  // The value is not repeated.
  throw new LightedgeError(
    "usage/invalid",
    `${name} must be at least ${SECRET_LENGTH} visible ASCII characters; "openssl rand -hex 32" makes a good one.`,
    { field: name, limit: SECRET_LENGTH },
  );
}

/** A step in a few words, for progress and errors. */
export function titleOf(step: Step): string {
  switch (step.kind) {
    case "bucket":
      return `bucket ${step.bucket}`;
    case "write":
      return step.file;
    case "build":
      return "build";
    case "worker":
      return "Worker";
    case "secrets":
      return `secrets ${step.names.join(", ")}`;
    case "publish":
      return "indexes";
  }
}

/** What a step runs, as one would type it. Secrets are named and not shown. */
export function commandsOf(step: Step): readonly string[] {
  switch (step.kind) {
    case "bucket":
      return [`npx wrangler ${step.look.join(" ")} || npx wrangler ${step.make.join(" ")}`];
    case "write":
      return [`lightedge deploy: write ${step.file}, ${step.text.split("\n").length - 1} lines`];
    case "build":
      return ["npm run build"];
    case "worker":
      return [`npx wrangler ${step.words.join(" ")}`];
    case "secrets":
      return [`npx wrangler ${step.words.join(" ")} < {${step.names.join(", ")} of the environment}`];
    case "publish":
      return [`lightedge ${step.words.join(" ")}`];
  }
}
