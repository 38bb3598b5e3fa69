import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { splitFrontMatter } from "./front-matter.ts";
import { appendHtml } from "./html.ts";
import { type Page, PageText } from "./page-text.ts";
import { invalid } from "./validate.ts";

/**
 * The readable text of a Markdown file (CommonMark with GitHub's tables, footnotes,
 * strike-through and task lists): words without marks, code as it stands, images by
 * their alternative text, raw HTML by its text. The title is that of the front matter,
 * else the first h1; all else in the front matter becomes fields. A heading's `{#id}`
 * is its anchor. Throws `source/invalid` for broken front matter. Cost: that of the
 * parser, which hostile nesting can drive above linear: call it under a deadline.
 */
export function readMarkdown(markdown: string): Page {
  const { fields, body } = splitFrontMatter(markdown);
  const page = new PageText(takeTitle(fields));
  const root = fromMarkdown(body, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  // A stack of its own: quotes may nest deeper than the call stack.
  const waiting: (Nodes | (() => void))[] = [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === "function") next();
    else visit(page, next, waiting);
  }
  return page.page(Array.from(fields));
}

function visit(page: PageText, node: Nodes, waiting: (Nodes | (() => void))[]): void {
  switch (node.type) {
    case "text":
    case "inlineCode":
      page.words(node.value);
      return;
    case "image":
    case "imageReference":
      page.words(node.alt ?? "");
      return;
    case "html":
      appendHtml(page, node.value);
      return;
    case "break":
      page.gap("\n");
      return;
    case "code":
      page.gap("\n\n");
      page.verbatim(node.value);
      page.gap("\n\n");
      return;
    case "heading": {
      const { words, anchor } = splitAnchor(wordsOf(node));
      page.heading(node.depth, words, anchor);
      return;
    }
    default: {
      const gap = gapAround(node.type);
      page.gap(gap);
      if (!("children" in node)) return;
      waiting.push(() => page.gap(gap));
      for (const child of node.children.toReversed()) {
        // The paragraph of a tight item is no block of its own: items stand on neighbouring lines.
        if (node.type === "listItem" && node.spread !== true && child.type === "paragraph") {
          waiting.push(() => page.gap("\n"));
          for (const part of child.children.toReversed()) waiting.push(part);
        } else waiting.push(child);
      }
    }
  }
}

function gapAround(type: Nodes["type"]): "" | "\t" | "\n" | "\n\n" {
  switch (type) {
    case "paragraph":
    case "blockquote":
    case "list":
    case "table":
    case "footnoteDefinition":
    case "thematicBreak":
      return "\n\n";
    case "listItem":
    case "tableRow":
      return "\n";
    case "tableCell":
      return "\t";
    default:
      return "";
  }
}

function wordsOf(heading: Nodes): string {
  const parts: string[] = [];
  const waiting: Nodes[] = [heading];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node.type === "text" || node.type === "inlineCode") parts.push(node.value);
    else if (node.type === "image" || node.type === "imageReference") parts.push(node.alt ?? "");
    else if (node.type === "break") parts.push(" ");
    else if ("children" in node) for (const child of node.children.toReversed()) waiting.push(child);
  }
  return parts.join("");
}

/** `Set up {#setup}` in its two parts: the form of Hugo, Docusaurus and Pandoc. */
function splitAnchor(words: string): { words: string; anchor?: string } {
  const bare = words.trimEnd();
  const open = bare.lastIndexOf("{#");
  const anchor = bare.slice(open + 2, -1);
  if (open < 0 || !bare.endsWith("}") || anchor === "" || anchor.includes(" ")) return { words };
  return { words: bare.slice(0, open), anchor };
}

/** The title out of the front matter; a number or a truth value is a title as well as any. */
function takeTitle(fields: Map<string, unknown>): string {
  const title = fields.get("title") ?? "";
  if (Array.isArray(title))
    throw invalid("The title in the front matter must be a string.", { field: "title" });
  fields.delete("title");
  return String(title);
}
