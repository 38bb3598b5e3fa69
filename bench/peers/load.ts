/**
 * Libraries to compare with that the project does not depend on. They are looked for in a folder that
 * `npm install` was run in; where one is absent its rows are left out and this says how to get it.
 */
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

/** How the native peers are installed into a folder of their own. */
export const HOW_TO_INSTALL =
  "mkdir DIR && cd DIR && npm init -y && npm install hnswlib-node usearch, then --peers DIR; hnswlib-node is compiled on the way and needs a C++ compiler";

/** A module out of `folder`; null where it is not there or does not load, with the reason to `note`. */
export function loadPeer(folder: string | undefined, name: string, note: (message: string) => void): unknown {
  if (folder === undefined) {
    note(`${name} is left out: no --peers. To compare with it: ${HOW_TO_INSTALL}.`);
    return null;
  }
  try {
    return createRequire(join(resolve(folder), "package.json"))(name);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    note(`${name} is left out: ${reason}. To install it: ${HOW_TO_INSTALL}.`);
    return null;
  }
}
