/** What stands in the place of results when there are none to show. */
import type { Mode } from "../../shared/types.ts";
import type { Failure } from "./client.ts";
import { element } from "./dom.ts";

/** Before anything is typed: what to try, and the keys. */
export function welcome(examples: readonly string[], choose: (query: string) => void): HTMLElement {
  const buttons = examples.map((query) => {
    const button = element("button", { class: "example", type: "button" }, query);
    button.addEventListener("click", () => choose(query));
    return element("li", {}, button);
  });
  return element(
    "section",
    { class: "notice" },
    element("h2", {}, "Search by meaning, as you type"),
    element(
      "p",
      {},
      "Every keystroke is a full search of the index, by what words mean and by what they say.",
    ),
    buttons.length === 0 ? null : element("ul", { class: "examples", "aria-label": "Examples" }, ...buttons),
    element(
      "p",
      { class: "hints", "aria-hidden": "true" },
      hint("/", "search"),
      hint("↓ ↑", "move"),
      hint("↵", "open"),
      hint("esc", "clear"),
    ),
  );
}

/**
 * An answer without hits. The meaning side finds something for nearly every query, the words side
 * does not.
 */
export function noResults(q: string, mode: Mode, tryHybrid: () => void): HTMLElement {
  const section = element(
    "section",
    { class: "notice" },
    element("h2", {}, "Nothing was found"),
    element("p", {}, "No document matches “", element("strong", {}, q.trim()), "”."),
  );
  if (mode === "sparse") {
    const button = element("button", { class: "quiet", type: "button" }, "Search by meaning too");
    button.addEventListener("click", tryHybrid);
    section.append(button);
  }
  return section;
}

/** A search that failed, with a way to try again unless the request itself was wrong. */
export function failed(failure: Failure, retry: () => void): HTMLElement {
  const heading = {
    offline: "No connection",
    refused: "This search was refused",
    server: "The server could not answer",
  }[failure.kind];
  const section = element(
    "section",
    { class: "notice", role: "alert" },
    element("h2", {}, heading),
    element("p", {}, failure.message),
  );
  if (failure.kind !== "refused") {
    const button = element("button", { class: "quiet", type: "button" }, "Try again");
    button.addEventListener("click", retry);
    section.append(button);
  }
  return section;
}

/** No index is named, neither by the deployment nor by the address. */
export function noIndex(): HTMLElement {
  return element(
    "section",
    { class: "notice" },
    element("h2", {}, "No index is chosen"),
    element(
      "p",
      {},
      "Add ",
      element("code", {}, "?index=NAME"),
      " to the address, or list indexes in the variable ",
      element("code", {}, "INDEXES"),
      ".",
    ),
  );
}

function hint(key: string, does: string): HTMLElement {
  return element("span", {}, element("kbd", {}, key), ` ${does}`);
}
