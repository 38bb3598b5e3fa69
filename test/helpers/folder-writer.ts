/**
 * A process that writes into a folder store. Usage: node folder-writer.ts FOLDER TASK
 *   forever      writes until it is killed, telling after each round how far it has counted
 *   count N      counts up N times, in competition with others
 *   put | delete | match ETAG    says "ready", changes `target` that way, says what became of it
 */

import { FolderStore } from "../../indexer/store/folder.ts";

const [, , folder = "", task = "", operand = ""] = process.argv;
const store = new FolderStore(folder);

/** Adds one to the number in `count`, in competition with whoever else does. */
async function step(): Promise<void> {
  for (;;) {
    const found = await store.get("count");
    const next = new TextEncoder().encode(String(Number(new TextDecoder().decode(found?.body)) + 1));
    const outcome =
      found === null
        ? await store.putIfAbsent("count", next)
        : await store.putIfMatch("count", next, found.etag);
    if (outcome.kind === "written") return;
  }
}

/** Writes for ever; each round is a put, a create and a step. */
async function writeForever(): Promise<never> {
  for (let n = 0; ; n += 1) {
    const body = new Uint8Array(300_000).fill(n);
    await store.put("target", body);
    await store.putIfAbsent(`created/${process.pid}-${n}`, body.slice(0, 10_000));
    await step();
    process.stdout.write(`${new TextDecoder().decode((await store.get("count"))?.body)}\n`);
  }
}

/** One change of `target`; gives a word for what became of it. */
async function change(): Promise<string> {
  const body = new TextEncoder().encode("from the other process");
  if (task === "match") return (await store.putIfMatch("target", body, operand)).kind;
  if (task === "put") await store.put("target", body);
  else await store.delete("target");
  return "done";
}

if (task === "forever") {
  await writeForever();
} else if (task === "count") {
  for (let n = 0; n < Number(operand); n += 1) await step();
} else {
  process.stdout.write("ready\n");
  process.stdout.write(`${await change()}\n`);
}
