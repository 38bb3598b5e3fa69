/** Runs in workerd: a stored tokenizer to the first query encoded, each step with what the host's clock says behind it. */
import { ServiceStore } from "../../edge/store-service.ts";
import { parseEnvelope } from "../../shared/format/envelope.ts";
import { readTokenizerFile } from "../../shared/format/tokenizer-file.ts";
import { sha256 } from "../../shared/hash.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";

/** Steps, in their order. */
export type Step = "read" | "checksum" | "open" | "load" | "first query";

interface Service {
  fetch(url: string, init?: { method?: string; headers?: Record<string, string> }): Promise<Response>;
}

let kept: Tokenizer | undefined;

export default {
  /** `/KEY?text=QUERY`; the second time the tokenizer is there already. */
  async fetch(
    request: Request,
    env: { readonly STORE: Service; readonly CLOCK: Service },
  ): Promise<Response> {
    const url = new URL(request.url);
    const text = url.searchParams.get("text") ?? "";
    // The runtime's own clock stands still between reads and writes.
    const now = async () => Number(await (await env.CLOCK.fetch("http://clock/")).text());
    if (kept !== undefined) return Response.json({ ids: kept.ids(text) });
    await now();
    const clock = await now();
    let last = await now();
    const cost = last - clock;
    const steps: [Step, number][] = [];
    const done = async (step: Step) => {
      const at = await now();
      steps.push([step, Math.max(0, at - last - cost)]);
      last = await now();
    };
    const object = await new ServiceStore(env.STORE).get(url.pathname.slice(1));
    if (object === null) return new Response("missing", { status: 404 });
    await done("read");
    await sha256(object.body);
    await done("checksum");
    const { value } = readTokenizerFile(parseEnvelope(object.body, "tokenizer"));
    await done("open");
    kept = loadTokenizer(value);
    await done("load");
    const ids = kept.ids(text);
    await done("first query");
    return Response.json({ ids, steps });
  },
};
