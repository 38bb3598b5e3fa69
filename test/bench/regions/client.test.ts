/** The client that measurements ask with: one retry, and every failure told. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ask } from "../../../bench/regions/client.ts";

const servers: Server[] = [];

/** A server that answers with these statuses, one after the other; 0 breaks the connection. */
async function answering(statuses: readonly number[]): Promise<{ url: string; from: unknown[] }> {
  const from: unknown[] = [];
  const server = createServer((request, response) => {
    const status = statuses[from.length] ?? 200;
    from.push(request.headers["x-lightedge-from"]);
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end(JSON.stringify({ status }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  // Safe: it listens on a port.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, from };
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe("a client", () => {
  it("asks from a place, once where it is answered", async () => {
    const { url, from } = await answering([404]);
    const asked = await ask(url, "apac", ["/x", {}]);
    expect(asked).toMatchObject({ answer: { status: 404, body: { status: 404 } }, attempts: 1 });
    expect(from).toEqual(["apac"]);
  });

  it.each([[503], [0]])("asks once more after %i, and no more", async (first) => {
    const { url, from } = await answering([first, 200]);
    expect(await ask(url, "weur", ["/x", {}])).toMatchObject({ answer: { status: 200 }, attempts: 2 });
    expect(from.length).toBe(2);
  });

  it("says what the second attempt came to", async () => {
    const { url } = await answering([0, 503]);
    expect(await ask(url, "weur", ["/x", {}])).toMatchObject({ answer: { status: 503 }, attempts: 2 });
    const broken = await answering([503, 0]);
    const asked = await ask(broken.url, "weur", ["/x", {}]);
    expect(asked).toMatchObject({ answer: null, attempts: 2 });
    expect(asked.reason).not.toBe(undefined);
  });
});
