/** What the page knows before it asks: the deployment's settings, and the state kept in its address. */
import { MODES, type Mode } from "../../shared/types.ts";

/** What the deployment wrote into the page. */
export interface Settings {
  /** Names of the indexes offered, the default first. */
  readonly indexes: readonly string[];
  /** Queries to suggest. */
  readonly examples: readonly string[];
}

/** What somebody is looking at. All of it is in the address, so that it can be shared and reloaded. */
export interface View {
  readonly index: string | undefined;
  readonly q: string;
  readonly mode: Mode;
  /** Name of the task that queries are asked for; the index's first when undefined. */
  readonly task: string | undefined;
  readonly explain: boolean;
  /** Whether misspelt words may be corrected. */
  readonly typos: boolean;
}

/** The settings in the page's meta element. */
export function readSettings(): Settings {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="lightedge"]');
  // Safe: edge/page-response.ts writes it, or leaves the {} of page/index.html.
  const given = JSON.parse(meta?.content ?? "{}") as Partial<Settings>;
  return { indexes: given.indexes ?? [], examples: given.examples ?? [] };
}

/** The view that the address describes. */
export function readView(settings: Settings): View {
  const parameters = new URLSearchParams(location.search);
  const mode = parameters.get("mode");
  return {
    index: parameters.get("index") || settings.indexes[0],
    q: parameters.get("q") ?? "",
    mode: MODES.find((known) => known === mode) ?? "hybrid",
    task: parameters.get("task") || undefined,
    explain: parameters.get("explain") === "true",
    typos: parameters.get("typos") !== "false",
  };
}

/**
 * Writes a view into the address, what is usual left out. Replaces: every keystroke in the history
 * would bury it.
 */
export function writeView(view: View, settings: Settings): void {
  const parameters = new URLSearchParams();
  if (view.index !== undefined && view.index !== settings.indexes[0]) parameters.set("index", view.index);
  if (view.q !== "") parameters.set("q", view.q);
  if (view.mode !== "hybrid") parameters.set("mode", view.mode);
  if (view.task !== undefined) parameters.set("task", view.task);
  if (view.explain) parameters.set("explain", "true");
  if (!view.typos) parameters.set("typos", "false");
  const query = parameters.toString();
  history.replaceState(null, "", query === "" ? location.pathname : `?${query}`);
  document.title = view.q.trim() === "" ? "Lightedge" : `${view.q.trim()} - Lightedge`;
}
