/** Where a bucket is, out of a URL and the environment. */
import { LightedgeError, printable } from "../../shared/errors.ts";
import { isKey } from "../../shared/store/keys.ts";

/** A place in a bucket, with all that a client needs to reach it. */
export interface S3Location {
  readonly bucket: string;
  /** What all keys in the bucket begin with: empty, or ending in a slash. */
  readonly prefix: string;
  /** Undefined for Amazon's own. */
  readonly endpoint: string | undefined;
  /** Undefined where the user's AWS profile names it. */
  readonly region: string | undefined;
  /** Whether the bucket stands in the path and not in the host's name. */
  readonly pathStyle: boolean;
  /** Undefined for the usual chain: environment, profile, role. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** Variables of the environment by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

// What Amazon and Cloudflare allow for new buckets.
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Keys have 512 characters and object stores take 1,024 bytes, with a slash between. */
const PREFIX_LENGTH = 256;
const SHAPE = /^(s3|r2):\/\/([^/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const AMAZON = ["endpoint", "region", "path-style"];

/**
 * The place that `s3://BUCKET[/PREFIX]?endpoint=URL&region=NAME&path-style=true|false` or
 * `r2://BUCKET[/PREFIX]?jurisdiction=eu` stands for. With an endpoint, the bucket stands in the
 * path and the region is us-east-1 unless the URL says otherwise. `r2:` takes its endpoint from
 * CLOUDFLARE_ACCOUNT_ID and its keys from R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY where they are set.
 * Throws `usage/invalid` naming what is wrong; secrets are never in the message.
 */
export function s3LocationOf(text: string, environment: Environment): S3Location {
  if (text.includes("@")) {
    const shown = `${text.slice(0, text.indexOf(":"))}://...`;
    throw refused(shown, "Keys do not belong into a URL; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.");
  }
  // By hand, since a URL's parser would take "a/../b" for another folder and say nothing.
  const [, scheme = "", bucket = "", path = "", query = ""] = SHAPE.exec(text) ?? [];
  if (!BUCKET.test(bucket)) {
    throw refused(text, "Use s3://BUCKET/PREFIX or r2://BUCKET, the bucket 3 to 63 of a-z, 0-9, . and -.");
  }
  const folder = path.replace(/\/$/, "");
  if (folder !== "" && (!isKey(folder) || folder.length > PREFIX_LENGTH)) {
    throw refused(text, `What follows the bucket is at most ${PREFIX_LENGTH} of a-z, 0-9, ., _, - and /.`);
  }
  const place = { bucket, prefix: folder === "" ? "" : `${folder}/` };
  return scheme === "r2"
    ? { ...place, ...cloudflare(text, parametersOf(text, query, ["jurisdiction"]), environment) }
    : { ...place, ...amazon(text, parametersOf(text, query, AMAZON), environment) };
}

type Access = Omit<S3Location, "bucket" | "prefix">;

function amazon(text: string, parameters: ReadonlyMap<string, string>, environment: Environment): Access {
  const named = parameters.get("endpoint");
  const endpoint = named ?? (environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL || undefined);
  const region =
    parameters.get("region") ??
    (environment.AWS_REGION || environment.AWS_DEFAULT_REGION || (endpoint && "us-east-1") || undefined);
  if (region !== undefined && !/^[a-z0-9-]{1,64}$/.test(region)) {
    throw refused(text, "A region is such as eu-central-1.");
  }
  const style = parameters.get("path-style") ?? String(endpoint !== undefined);
  if (style !== "true" && style !== "false") throw refused(text, "path-style is true or false.");
  if (endpoint !== undefined) checkEndpoint(text, endpoint);
  return { endpoint, region, pathStyle: style === "true", credentials: undefined };
}

function cloudflare(text: string, parameters: ReadonlyMap<string, string>, environment: Environment): Access {
  const account = environment.CLOUDFLARE_ACCOUNT_ID ?? "";
  if (!/^[0-9a-f]{32}$/.test(account)) {
    throw refused(text, "Set CLOUDFLARE_ACCOUNT_ID to the account's id, 32 hexadecimal digits.");
  }
  const jurisdiction = parameters.get("jurisdiction");
  if (jurisdiction !== undefined && !/^[a-z]{1,16}$/.test(jurisdiction)) {
    throw refused(text, "A jurisdiction is such as eu.");
  }
  const { R2_ACCESS_KEY_ID: accessKeyId, R2_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (!accessKeyId !== !secretAccessKey) {
    throw refused(text, "Set both of R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY, or neither.");
  }
  const host = jurisdiction === undefined ? account : `${account}.${jurisdiction}`;
  return {
    endpoint: `https://${host}.r2.cloudflarestorage.com`,
    region: "auto",
    pathStyle: true,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
  };
}

function parametersOf(text: string, query: string, known: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!known.includes(name))
      throw refused(text, `It has no parameter ${printable(name)}; there is ${known.join(", ")}.`);
    if (found.has(name) || value === "") throw refused(text, `Give ${name} one value.`);
    found.set(name, value);
  }
  return found;
}

function checkEndpoint(text: string, endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  const plain = url !== null && url.pathname === "/" && url.search + url.hash === "";
  if (plain && (url.protocol === "https:" || url.protocol === "http:")) return;
  throw refused(text, "An endpoint is such as https://s3.example.org, without a path.");
}

function refused(url: string, remedy: string, cause?: unknown): LightedgeError {
  const details = { field: "store", value: printable(url) };
  const message = `Cannot open the store ${printable(url)}. ${remedy}`;
  return new LightedgeError("usage/invalid", message, details, cause);
}
