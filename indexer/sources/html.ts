import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse, parseFragment } from "parse5";
import { collapse, type Page, PageText } from "./page-text.ts";

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

/** Elements whose content is no text of the page: code, drawings, controls and ways around the site. */
const DROPPED = new Set(
  "script style noscript template svg iframe object canvas audio video head nav button select textarea datalist".split(
    " ",
  ),
);
/** Dropped as well, unless inside `main` or `article`, where they belong to the content. */
const SURROUNDINGS = new Set(["header", "footer", "aside"]);
const HEADINGS = new Set(["h1", "h2", "h3", "h4", "h5", "h6"]);
/** Elements that stand on lines of their own. */
const LINES = new Set("li dt dd tr option caption summary legend figcaption".split(" "));
/** Elements apart from their neighbours by an empty line. */
const BLOCKS = new Set(
  "address article aside blockquote body center details dialog div dl fieldset figure footer form header hgroup hr main menu ol p pre section table ul".split(
    " ",
  ),
);

/**
 * The readable text of an HTML page, as a browser with the style sheet removed would
 * show it: the `main` element, or the only `article`, or the body without header,
 * footer and asides. Text of `pre` is kept as it stands, images by their `alt`;
 * elements with the attribute `hidden` are left out. The title is `<title>`, else the
 * first h1; `description` and `url` come from the meta description and the canonical
 * link. Cost: that of the parser, which hostile markup can drive above linear: call it
 * under a deadline.
 */
export function readHtml(html: string): Page {
  const document = parse(html);
  const found = {
    main: [] as Element[],
    article: [] as Element[],
    h1: [] as Element[],
    title: [] as Element[],
  };
  const fields: [string, unknown][] = [];
  for (const element of elementsOf(document)) {
    const { tagName } = element;
    // The title of a drawing is a `title` element too, in another namespace.
    if (tagName === "main" || tagName === "article" || tagName === "h1") found[tagName].push(element);
    else if (tagName === "title" && element.namespaceURI.endsWith("/xhtml")) found.title.push(element);
    const field = fieldOf(element);
    if (field !== undefined && !fields.some(([name]) => name === field[0])) fields.push(field);
  }
  const title = found.title[0] ?? found.h1[0];
  const page = new PageText(title === undefined ? "" : textContent(title));
  const root = found.main[0] ?? (found.article.length === 1 ? found.article[0] : undefined);
  appendNodes(page, [root ?? document], root !== undefined);
  return page.page(fields);
}

/** Adds the text of a piece of HTML inside another page; an end tag without its start adds nothing. */
export function appendHtml(page: PageText, html: string): void {
  appendNodes(page, parseFragment(html).childNodes, true);
}

/** Walks with a stack of its own: markup may nest deeper than the call stack. */
function appendNodes(page: PageText, nodes: readonly Node[], inContent: boolean): void {
  const waiting: ({ readonly node: Node; readonly content: boolean } | (() => void))[] = [];
  const push = (children: readonly Node[], content: boolean): void => {
    for (let i = children.length - 1; i >= 0; i--) waiting.push({ node: children[i]!, content });
  };
  push(nodes, inContent);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === "function") {
      next();
      continue;
    }
    const { node, content } = next;
    if (defaultTreeAdapter.isTextNode(node)) page.words(node.value);
    if (!("childNodes" in node)) continue;
    if (!defaultTreeAdapter.isElementNode(node)) {
      push(node.childNodes, content);
      continue;
    }
    const name = node.tagName;
    if (isDropped(node) || (!content && SURROUNDINGS.has(name))) continue;
    if (HEADINGS.has(name)) {
      page.heading(Number(name.charAt(1)), textContent(node), anchorOf(node));
      continue;
    }
    const gap = BLOCKS.has(name)
      ? "\n\n"
      : LINES.has(name) || name === "br"
        ? "\n"
        : isCell(name)
          ? "\t"
          : "";
    page.gap(gap);
    if (name === "img") page.words(` ${attribute(node, "alt") ?? ""} `);
    waiting.push(() => page.gap(gap));
    if (name === "pre") page.verbatim(textContent(node));
    else push(node.childNodes, content || name === "main" || name === "article");
  }
}

/** Everything a subtree says, images by their `alt`, without the link marks that generators put into headings. */
function textContent(root: Node): string {
  const parts: string[] = [];
  const waiting: Node[] = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (defaultTreeAdapter.isTextNode(node)) parts.push(node.value);
    if (!defaultTreeAdapter.isElementNode(node) || isDropped(node) || isLinkMark(node)) continue;
    if (node.tagName === "img") parts.push(attribute(node, "alt") ?? "");
    if (node.tagName === "br") parts.push("\n");
    for (const child of node.childNodes.toReversed()) waiting.push(child);
  }
  return parts.join("");
}

/** A link within the page that shows a sign and no word, as `¶` or `#` beside a heading. */
function isLinkMark(element: Element): boolean {
  if (element.tagName !== "a" || !attribute(element, "href")?.startsWith("#")) return false;
  return element.childNodes.every(
    (child) => defaultTreeAdapter.isTextNode(child) && !/[\p{L}\p{N}]/u.test(child.value),
  );
}

function* elementsOf(root: DefaultTreeAdapterTypes.Document): Iterable<Element> {
  const waiting: Node[] = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (defaultTreeAdapter.isElementNode(node)) yield node;
    if ("childNodes" in node)
      for (let i = node.childNodes.length - 1; i >= 0; i--) waiting.push(node.childNodes[i]!);
  }
}

function fieldOf(element: Element): [string, string] | undefined {
  const { tagName } = element;
  if (tagName === "meta" && attribute(element, "name")?.toLowerCase() === "description") {
    const content = collapse(attribute(element, "content") ?? "");
    return content === "" ? undefined : ["description", content];
  }
  if (tagName === "link" && attribute(element, "rel")?.toLowerCase() === "canonical") {
    const href = attribute(element, "href")?.trim() ?? "";
    return href === "" ? undefined : ["url", href];
  }
  return undefined;
}

/** The heading's own id, or that of the `section` it opens, which is where Sphinx puts it. */
function anchorOf(heading: Element): string | undefined {
  const parent = heading.parentNode;
  if (attribute(heading, "id")) return attribute(heading, "id");
  if (parent === null || !defaultTreeAdapter.isElementNode(parent) || parent.tagName !== "section")
    return undefined;
  const first = parent.childNodes.find((child) => defaultTreeAdapter.isElementNode(child));
  return first === heading ? attribute(parent, "id") : undefined;
}

function isDropped(element: Element): boolean {
  return DROPPED.has(element.tagName) || attribute(element, "hidden") !== undefined;
}

function isCell(name: string): boolean {
  return name === "td" || name === "th";
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((attr) => attr.name === name)?.value;
}
