/** A bucket of miniflare's, for what is tested over an R2 binding outside a Worker. */
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll } from "vitest";
import type { R2WriteStore } from "../../edge/store-r2-write.ts";

/** What gives the bucket; the runtime behind it is stopped after the tests around. To be called where tests are described. */
export function r2Bucket(): () => Promise<ConstructorParameters<typeof R2WriteStore>[0]> {
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: "export default { fetch() { return new Response(null) } }",
      compatibilityDate: "2026-01-01",
      r2Buckets: ["BUCKET"],
    }),
  );
  afterAll(() => runtime.dispose());
  return () => runtime.getR2Bucket("BUCKET");
}
