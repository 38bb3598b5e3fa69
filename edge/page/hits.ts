/** The list of results. */
import type { Hit } from "../../shared/types.ts";
import { element, marked } from "./dom.ts";
import { explanation, scores } from "./explain.ts";
import { titleOf } from "./fields.ts";

/** One result. `open` is called when it is to be read. */
export function hitElement(hit: Hit, open: (hit: Hit) => void): HTMLElement {
  const title = element("button", { class: "title", type: "button" }, titleOf(hit.id, hit.fields));
  title.addEventListener("click", () => open(hit));
  const { heading } = hit.passage;
  return element(
    "li",
    { class: "hit" },
    title,
    heading === undefined ? null : element("p", { class: "heading" }, heading),
    hit.snippet.text === ""
      ? null
      : element("p", { class: "snippet" }, marked(hit.snippet.text, hit.snippet.marks)),
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
