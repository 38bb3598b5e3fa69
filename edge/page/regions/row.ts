/** One region in the list: what it is, how it is, and the requests that it answered. */
import type { RegionIndexReport, RegionReport, ShardReport } from "../../../shared/regions/report.ts";
import { element } from "../dom.ts";
import { bytes, count, counted, duration, milliseconds } from "../format.ts";
import { svg } from "../svg.ts";
import type { FaultOrder, OrderedFaults } from "./api.ts";
import { colorOf } from "./colors.ts";
import { STRIP } from "./history.ts";

/** Milliseconds that "Slow down" adds. */
export const SLOW_MS = 400;

/** What a row shows. */
export interface RowState {
  readonly report: RegionReport;
  readonly index: RegionIndexReport | undefined;
  readonly faults: OrderedFaults | undefined;
  readonly answering: boolean;
  readonly nearest: boolean;
  readonly answered: number;
  readonly medianMs: number | undefined;
  readonly strip: string;
}

/** How a region is, in a word or two, and how that is to be looked at. */
export interface Condition {
  readonly kind: "answering" | "ready" | "broken";
  readonly text: string;
}

/** How a region is. */
export function conditionOf({ report, faults, answering }: Omit<RowState, "strip">): Condition {
  const { failing, probe_ms } = report;
  if (faults !== undefined && faults.cut !== null)
    return answering
      ? { kind: "answering", text: "Cut off, answering from memory" }
      : { kind: "broken", text: "Cut off" };
  if (failing !== null) {
    const seconds = Math.ceil(failing.try_in_ms / 1000);
    const again = seconds > 0 ? `, next try in ${seconds} s` : "";
    return { kind: "broken", text: `Passed over (${failing.code})${again}` };
  }
  if (answering) return { kind: "answering", text: "Answering" };
  return probe_ms === null
    ? { kind: "broken", text: "Not reachable" }
    : { kind: "ready", text: "Standing by" };
}

/** A row that is made once and then kept up to date, so that a button keeps the focus. */
export class RegionRow {
  readonly element: HTMLLIElement;
  readonly #condition = element("span", { class: "condition" });
  readonly #answered = element("span", { class: "answered" });
  readonly #strip = svg("path", { class: "strokes" });
  readonly #drawing = svg("svg", {
    class: "strip",
    viewBox: `0 0 ${STRIP.width} ${STRIP.height}`,
    preserveAspectRatio: "none",
    role: "img",
  });
  readonly #facts = element("dl", { class: "region-facts" });
  readonly #shards = element("div", { class: "shards" });
  readonly #orders = element("div", { class: "orders" });
  readonly #cut: HTMLButtonElement;
  readonly #slow: HTMLButtonElement;
  #faults: OrderedFaults | undefined;

  /** `order` is called when somebody orders a fault. */
  constructor(region: string, title: string, order: (order: FaultOrder) => void) {
    const button = (text: string, act: () => FaultOrder) => {
      const made = element(
        "button",
        { class: "quiet", type: "button", "aria-label": `${text} ${region}` },
        text,
      );
      made.addEventListener("click", () => order(act()));
      return made;
    };
    this.#cut = button("Cut off", () => ({ region, cut: this.#faults?.cut ? null : "refuse" }));
    this.#slow = button("Slow down", () => ({ region, slow_ms: this.#faults?.slow_ms ? 0 : SLOW_MS }));
    this.#orders.append(
      this.#cut,
      this.#slow,
      button("Evict shards", () => ({ region, evict: true })),
    );
    this.#drawing.append(this.#strip);
    const name = element("h2", {}, element("i", { class: "swatch", "aria-hidden": "true" }), title);
    if (title !== region) name.append(element("span", { class: "id" }, region));
    this.element = element(
      "li",
      { class: "region", "data-region": region },
      element("div", { class: "region-head" }, name, this.#condition),
      this.#drawing,
      this.#answered,
      this.#facts,
      element("div", { class: "region-foot" }, this.#shards, this.#orders),
    );
    this.element.style.setProperty("--region", colorOf(region));
  }

  /** Shows this. */
  show(state: RowState): void {
    const { report, index, faults, answering, nearest, answered, medianMs, strip } = state;
    this.#faults = faults;
    const condition = conditionOf(state);
    this.element.className = `region ${condition.kind}`;
    this.element.toggleAttribute("data-answering", answering);
    this.#condition.textContent = condition.text;
    this.#strip.setAttribute("d", strip);
    const within = medianMs === undefined ? "" : `, half of them within ${milliseconds(medianMs)}`;
    this.#drawing.setAttribute("aria-label", `Requests of the last minute${within}`);
    this.#answered.textContent =
      answered === 0 ? "no requests answered" : `${counted(answered, "request")} answered`;
    this.#facts.replaceChildren(...factsOf(report, index, nearest, medianMs).flatMap(pair));
    this.#shards.replaceChildren(...shardsOf(index));
    this.#orders.hidden = faults === undefined;
    label(this.#cut, report.region, Boolean(faults?.cut), ["Cut off", "Heal"]);
    label(this.#slow, report.region, Boolean(faults?.slow_ms), ["Slow down", "Speed up"]);
  }
}

/** What a button does next; that it undoes something is shown too. */
function label(
  button: HTMLButtonElement,
  region: string,
  on: boolean,
  [turnOn, turnOff]: readonly [string, string],
): void {
  button.textContent = on ? turnOff : turnOn;
  button.setAttribute("aria-label", `${button.textContent} ${region}`);
  button.classList.toggle("on", on);
}

function pair([term, value]: readonly [string, string]): readonly HTMLElement[] {
  return [element("div", {}, element("dt", {}, term), element("dd", {}, value))];
}

function factsOf(
  report: RegionReport,
  index: RegionIndexReport | undefined,
  nearest: boolean,
  medianMs: number | undefined,
): readonly (readonly [string, string])[] {
  const { distance_km, probe_ms, home } = report;
  const known = (value: number | null | undefined, words: (value: number) => string) =>
    value === null || value === undefined ? "unknown" : words(value);
  return [
    ["distance", `${known(distance_km, (km) => `${count(Math.round(km))} km`)}${nearest ? ", nearest" : ""}`],
    ["store", probe_ms === null ? "no answer" : milliseconds(probe_ms)],
    ["search", medianMs === undefined ? "none yet" : milliseconds(medianMs)],
    ["version", `${index?.version ?? "unknown"}${home ? ", home" : ""}`],
    ["age", known(index?.age_s, duration)],
    ["behind", known(index?.behind, (versions) => (versions === 0 ? "none" : counted(versions, "version")))],
  ];
}

function shardsOf(index: RegionIndexReport | undefined): readonly HTMLElement[] {
  if (index === undefined || index.shards.length === 0) return [];
  const cells = index.shards.map(({ state }) => element("i", { class: `shard ${state}` }));
  return [
    element("span", { class: "cells", "aria-hidden": "true" }, ...cells),
    element("span", {}, shardWords(index)),
  ];
}

function shardWords({ shards, placement }: RegionIndexReport): string {
  const size = (of: ShardReport["state"]) =>
    bytes(shards.filter(({ state }) => state === of).reduce((sum, shard) => sum + shard.bytes, 0));
  const parts = (["loaded", "cold", "unreachable"] as const).flatMap((state) => {
    const found = shards.filter((shard) => shard.state === state).length;
    return found === 0 ? [] : [`${found} ${state}${state === "loaded" ? ` (${size(state)} at most)` : ""}`];
  });
  const place = placement === null ? "" : placement === "objects" ? " in Durable Objects" : " in the Worker";
  return `${counted(shards.length, "shard")}${place}: ${parts.join(", ")}`;
}
