/** Bundles the search page into one HTML file that asks for nothing else. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const FOLDER = "edge/page";

/**
 * Bundles edge/page with its style and script inside the HTML and writes it to `output`,
 * relative to the root. Throws with the bundler's messages, and where a bundle holds an end
 * tag that would close its own element.
 */
export async function buildPage(root: string, output: string): Promise<void> {
  const html = await readFile(join(root, FOLDER, "index.html"), "utf8");
  const style = await bundle(root, "page.css");
  const script = await bundle(root, "page.ts");
  const page = [
    [`<link rel="stylesheet" href="page.css">`, `<style>${style}</style>`],
    [`<script src="page.js"></script>`, `<script type="module">${script}</script>`],
  ].reduce((text, [reference, inlined]) => inline(text, reference!, inlined!), html);
  const making = join(root, `${output}-${process.pid}`);
  await mkdir(dirname(making), { recursive: true });
  await writeFile(making, page);
  await rename(making, join(root, output));
}

async function bundle(root: string, entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, FOLDER, entry)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    charset: "utf8",
    // The settings are the repository's own, not those of whoever builds.
    tsconfigRaw: {},
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]!.text.trim();
}

/** Puts an element with its content where a reference to its file was. */
function inline(html: string, reference: string, element: string): string {
  if (!html.includes(reference)) throw new Error(`${FOLDER}/index.html has no ${reference}.`);
  if (element.indexOf("</") !== element.lastIndexOf("</")) {
    throw new Error(`What replaces ${reference} holds "</", which could end its element early.`);
  }
  // By a function: "$&" in a bundle would otherwise be a replacement pattern.
  return html.replace(reference, () => element);
}
