/** Bundles a page into one HTML file that asks for nothing else. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const FOLDER = "edge/page";

/** The pages: each is an HTML file of edge/page that names one style and one script. */
export const PAGES = ["index", "regions"] as const;
/** One of them. */
export type PageName = (typeof PAGES)[number];

const STYLE = /<link rel="stylesheet" href="([\w/-]+\.css)">/;
const SCRIPT = /<script src="([\w/-]+)\.js"><\/script>/;

/**
 * Bundles a page of edge/page with its style and script inside the HTML and writes it to `output`,
 * relative to the root. Throws with the bundler's messages, and where a bundle holds an end
 * tag that would close its own element.
 */
export async function buildPage(root: string, output: string, name: PageName = "index"): Promise<void> {
  const file = `${name}.html`;
  const html = await readFile(join(root, FOLDER, file), "utf8");
  const [styleReference, styleEntry] = referenceIn(html, STYLE, file);
  const [scriptReference, scriptEntry] = referenceIn(html, SCRIPT, file);
  const style = await bundle(root, styleEntry);
  const script = await bundle(root, `${scriptEntry}.ts`);
  const styled = inline(html, styleReference, `<style>${style}</style>`);
  const page = inline(styled, scriptReference, `<script type="module">${script}</script>`);
  const making = join(root, `${output}-${process.pid}`);
  await mkdir(dirname(making), { recursive: true });
  await writeFile(making, page);
  await rename(making, join(root, output));
}

/** What a page names its style or script by, and the file that is. */
function referenceIn(html: string, pattern: RegExp, file: string): readonly [string, string] {
  const [reference, entry] = pattern.exec(html) ?? [];
  if (reference !== undefined && entry !== undefined) return [reference, entry];
  throw new Error(`${FOLDER}/${file} has nothing like ${pattern.source}.`);
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
  if (element.indexOf("</") !== element.lastIndexOf("</")) {
    throw new Error(`What replaces ${reference} holds "</", which could end its element early.`);
  }
  // By a function: "$&" in a bundle would otherwise be a replacement pattern.
  return html.replace(reference, () => element);
}
