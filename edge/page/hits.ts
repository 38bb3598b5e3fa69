/** The list of results. */
import type { Hit } from "../../shared/types.ts";
import { element, marked } from "./dom.ts";
import { explanation, scores } from "./explain.ts";
import { titleOf } from "./fields.ts";

/** One result. `open` is called when it is to be read: by its title, or by a click anywhere beside what can be clicked itself. */
export function hitElement(hit: Hit, open: (hit: Hit) => void): HTMLElement {
  const title = element("button", { class: "title", type: "button" }, titleOf(hit.id, hit.fields));
  title.addEventListener("click", () => open(hit));
  const { heading } = hit.passage;
  const row = element(
    "li",
    { class: "hit" },
    title,
    heading === undefined ? null : element("p", { class: "heading" }, heading),
    hit.snippet.text === "" ? null : element("p", { class: "snippet" }, ...snippet(hit)),
    hit.explain === undefined ? null : explanation(hit.explain),
    element(
      "div",
      { class: "meta" },
      element("span", { class: "id" }, hit.id),
      hit.explain === undefined
        ? element("details", {}, element("summary", {}, "scores"), scores(hit))
        : scores(hit),
    ),
  );
  row.addEventListener("click", ({ target }) => {
    const isOwn = target instanceof Element && target.closest("button, details") !== null;
    // Somebody who has just marked some words wants to copy them.
    if (isOwn || getSelection()?.isCollapsed === false) return;
    // The dialog gives the focus back to where it was.
    title.focus({ preventScroll: true });
    open(hit);
  });
  return row;
}

/** The snippet with its marks, and an ellipsis at each end where the document's text goes on. */
function snippet({ fields, snippet: { text, marks } }: Hit): readonly (Node | string)[] {
  const whole = typeof fields.text === "string" ? fields.text.trim() : text;
  const before = whole.startsWith(text) ? "" : "… ";
  const after = whole.endsWith(text) ? "" : " …";
  return [before, marked(text, marks), after];
}

/** The buttons that open results, in their order. */
export function titles(list: HTMLElement): readonly HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>(".title")];
}

/**
 * Moves the focus by one result. Above the first is `above`, the search box; from there
 * down is the first. Returns whether there was anywhere to go.
 */
export function moveFocus(list: HTMLElement, above: HTMLElement, step: 1 | -1): boolean {
  const all = titles(list);
  const { activeElement } = document;
  const at = activeElement instanceof HTMLElement ? all.indexOf(activeElement) : -1;
  if (at < 0 && step < 0) return false;
  const next = at + step < 0 ? above : all[at + step];
  if (next === undefined) return false;
  next.focus({ preventScroll: true });
  const row = next.closest("li") ?? next;
  row.scrollIntoView({ block: "nearest" });
  return true;
}
