/** Kills this process at a call of the file system that is chosen by number, without anything outside Node. */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** What a store does to a disk. Reads are left out: between two of them nothing changes. */
const ASYNC = ["open", "link", "rename", "unlink", "mkdir", "rm"] as const;
const SYNC = ["renameSync", "unlinkSync"] as const;
const HANDLE = ["write", "writeFile", "sync", "datasync", "close"] as const;

type Call = (...values: readonly unknown[]) => unknown;

/**
 * Watches the calls that change a disk and dies before or after number `at`. Gives how many there were
 * so far. Nothing that is to be watched may have imported the file system by then.
 */
export async function killAt(moment: string, at: number): Promise<() => number> {
  // The class of handles has no name; every handle has it for its prototype.
  const handle = await fs.promises.open(process.execPath, "r");
  const prototype: object = Object.getPrototypeOf(handle);
  await handle.close();
  let calls = 0;
  const watch = (target: object, name: string): void => {
    const original = Reflect.get(target, name) as Call;
    const watched = function (this: unknown, ...values: readonly unknown[]): unknown {
      const number = calls++;
      if (number === at && moment === "before") die();
      const result = Reflect.apply(original, this, values);
      if (number !== at || moment !== "after") return result;
      return result instanceof Promise ? result.then(die) : die();
    };
    Reflect.set(target, name, watched);
  };
  for (const name of ASYNC) watch(fs.promises, name);
  for (const name of SYNC) watch(fs, name);
  for (const name of HANDLE) watch(prototype, name);
  syncBuiltinESMExports();
  return () => calls;
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("A killed process goes on.");
}
