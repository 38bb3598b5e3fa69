/** Ports that nothing listens on, below the range from which systems hand out port 0. */
import { createServer } from "node:net";

const FIRST = 20_000;
const LAST = 32_000;

/** The first of `count` free ports in a row: no parallel test gets one of them by chance, since none of theirs is chosen here. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const first = FIRST + Math.floor(Math.random() * (LAST - FIRST - count));
    const row = Array.from({ length: count }, (_, at) => isFree(first + at));
    if ((await Promise.all(row)).every(Boolean)) return first;
  }
  throw new Error(`No ${count} free ports in a row between ${FIRST} and ${LAST}.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
