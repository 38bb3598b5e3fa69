import { describe, expect, it } from "vitest";
import { s3LocationOf } from "../../../indexer/store/s3-location.ts";

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const R2 = { CLOUDFLARE_ACCOUNT_ID: ACCOUNT };

describe("s3LocationOf", () => {
  it("leaves to Amazon's client what the URL does not say", () => {
    expect(s3LocationOf("s3://my-bucket", {})).toEqual({
      bucket: "my-bucket",
      prefix: "",
      endpoint: undefined,
      region: undefined,
      pathStyle: false,
      credentials: undefined,
    });
  });

  it("takes a folder, an endpoint and a region from the URL", () => {
    const url = "s3://my.bucket/search/main/?endpoint=https://s3.example.org:9000&region=eu-1";
    expect(s3LocationOf(url, {})).toMatchObject({
      bucket: "my.bucket",
      prefix: "search/main/",
      endpoint: "https://s3.example.org:9000",
      region: "eu-1",
      pathStyle: true,
    });
    expect(s3LocationOf(`${url}&path-style=false`, {}).pathStyle).toBe(false);
    expect(s3LocationOf("s3://my-bucket?path-style=true", {}).pathStyle).toBe(true);
  });

  it("takes region and endpoint from the environment where the URL has none", () => {
    const environment = { AWS_DEFAULT_REGION: "b-1", AWS_ENDPOINT_URL: "http://127.0.0.1:5000" };
    expect(s3LocationOf("s3://bucket", environment)).toMatchObject({
      region: "b-1",
      endpoint: "http://127.0.0.1:5000",
      pathStyle: true,
    });
    const more = { ...environment, AWS_REGION: "a-1", AWS_ENDPOINT_URL_S3: "http://127.0.0.1:5001" };
    expect(s3LocationOf("s3://bucket", more)).toMatchObject({
      region: "a-1",
      endpoint: "http://127.0.0.1:5001",
    });
    expect(s3LocationOf("s3://bucket?region=c-1&endpoint=http://host", more)).toMatchObject({
      region: "c-1",
      endpoint: "http://host",
    });
  });

  it("has a region for any endpoint, since most stores have but one", () => {
    expect(s3LocationOf("s3://bucket?endpoint=http://host", {}).region).toBe("us-east-1");
  });

  it("finds the endpoint of a Cloudflare account, and its keys", () => {
    const keys = { R2_ACCESS_KEY_ID: "id", R2_SECRET_ACCESS_KEY: "secret" };
    expect(s3LocationOf("r2://bucket/docs", { ...R2, ...keys })).toEqual({
      bucket: "bucket",
      prefix: "docs/",
      endpoint: `https://${ACCOUNT}.r2.cloudflarestorage.com`,
      region: "auto",
      pathStyle: true,
      credentials: { accessKeyId: "id", secretAccessKey: "secret" },
    });
    expect(s3LocationOf("r2://bucket", R2).credentials).toBeUndefined();
    expect(s3LocationOf("r2://bucket?jurisdiction=eu", R2).endpoint).toBe(
      `https://${ACCOUNT}.eu.r2.cloudflarestorage.com`,
    );
  });

  it.each([
    ["s3:bucket", {}],
    ["s3://", {}],
    ["s3:///folder", {}],
    ["s3://Bucket", {}],
    ["s3://ab", {}],
    ["s3://bucket:80", {}],
    ["s3://bucket/Folder", {}],
    ["s3://bucket/a//b", {}],
    ["s3://bucket/%2e%2e", {}],
    ["s3://bucket/a/../b", {}],
    [`s3://bucket/${"x".repeat(257)}`, {}],
    ["s3://bucket#part", {}],
    ["s3://bucket?reigon=eu-1", {}],
    ["s3://bucket?region=", {}],
    ["s3://bucket?region=a-1&region=b-1", {}],
    ["s3://bucket?region=EU", {}],
    ["s3://bucket?path-style=yes", {}],
    ["s3://bucket?endpoint=host", {}],
    ["s3://bucket?endpoint=ftp://host", {}],
    ["s3://bucket?endpoint=https://host/path", {}],
    ["s3://bucket?endpoint=https://host%23x", {}],
    ["s3://bucket", { AWS_ENDPOINT_URL: "host" }],
    ["r2://bucket", {}],
    ["r2://bucket", { CLOUDFLARE_ACCOUNT_ID: "my account" }],
    ["r2://bucket?region=auto", R2],
    ["r2://bucket?jurisdiction=a.b", R2],
    ["r2://bucket", { ...R2, R2_ACCESS_KEY_ID: "id" }],
    ["r2://bucket", { ...R2, R2_SECRET_ACCESS_KEY: "secret" }],
  ])("refuses %s with %o and names the option", (url, environment) => {
    expect(() => s3LocationOf(url, environment)).toThrow(
      expect.objectContaining({
        code: "usage/invalid",
        details: expect.objectContaining({ field: "store" }),
      }),
    );
  });

  it.each(["s3://key:hush@bucket", "s3://bucket?endpoint=https://key:hush@host", "r2://hush@bucket"])(
    "never repeats a secret that stands in %s",
    (url) => {
      expect(() => s3LocationOf(url, R2)).toThrow(/do not belong into a URL/);
      expect(() => s3LocationOf(url, R2)).not.toThrow(/hush/);
    },
  );
});
