/** The regions page: what each region is and does, and who answers searches from here, while they go on. */
import type { RegionsReport } from "../../../shared/regions/report.ts";
import type { PassedRegion, SearchAnswer } from "../../../shared/types.ts";
import { byId, element, setShare } from "../dom.ts";
import { bytes, counted, milliseconds } from "../format.ts";
import { readSettings } from "../settings.ts";
import { type FaultOrder, type FaultsByRegion, RegionsApi } from "./api.ts";
import { drawCompass } from "./compass.ts";
import { History } from "./history.ts";
import { Load } from "./load.ts";
import { conditionOf, RegionRow } from "./row.ts";

/** Milliseconds between two searches and two looks at the regions: on this machine, and where each costs something. */
const PACE = { local: { search: 250, look: 1000 }, deployed: { search: 1000, look: 5000 } } as const;
/** Milliseconds between two drawings. */
const DRAW_MS = 250;
/** Sent where the deployment suggests no query. */
const QUERY = "what is this about";

const headline = byId("headline", HTMLHeadingElement);
const lead = byId("lead", HTMLParagraphElement);
const places = byId("places", HTMLFieldSetElement);
const compass = document.querySelector<SVGSVGElement>("#compass")!;
const sending = byId("sending", HTMLFormElement);
const box = byId("q", HTMLInputElement);
const toggle = byId("toggle", HTMLButtonElement);
const counts = byId("counts", HTMLParagraphElement);
const announcement = byId("announcement", HTMLParagraphElement);
const notice = byId("notice", HTMLDivElement);
const list = byId("regions", HTMLOListElement);
const failed = byId("failed", HTMLElement);
const failedStrip = document.querySelector<SVGPathElement>("#failed-strip")!;
const failedCount = byId("failed-count", HTMLSpanElement);
const memory = byId("memory", HTMLParagraphElement);
const memoryText = byId("memory-text", HTMLSpanElement);
const memoryBar = byId("memory-bar", HTMLSpanElement);
const indexPlace = byId("index", HTMLDivElement);

const settings = readSettings();
const api = new RegionsApi();
const history = new History();
const rows = new Map<string, RegionRow>();
let index = new URLSearchParams(location.search).get("index") || settings.indexes[0];
let report: RegionsReport | undefined;
let faults: FaultsByRegion = {};
let passed: readonly PassedRegion[] = [];
let lastFailure: string | undefined;
let isFirstLook = true;

const load = new Load({
  search: () => api.search(index ?? "", box.value),
  done(sent, answer, failure) {
    history.add(sent);
    if (answer !== undefined) passed = answer.failover?.from ?? [];
    lastFailure = failure;
    noteChange(answer);
  },
});

/** Looks at the regions, again and again. */
async function look(): Promise<void> {
  try {
    report = await api.report();
    faults = await api.faults();
    showProblem(undefined);
    if (isFirstLook) begin();
    show();
  } catch (error) {
    showProblem(error instanceof Error ? error.message : String(error));
  }
  setTimeout(() => void look(), pace().look);
}

/** What is done once it is known where this page is served. */
function begin(): void {
  isFirstLook = false;
  // Where searches cost money they begin when somebody says so.
  if (api.faultsPath !== undefined) run(true);
  if (index === undefined) showProblem("No index is chosen: add ?index=NAME to the address.");
}

function pace(): { readonly search: number; readonly look: number } {
  return api.faultsPath === undefined ? PACE.deployed : PACE.local;
}

function run(on: boolean): void {
  if (on && index !== undefined) load.start(pace().search);
  else load.stop();
  toggle.textContent = load.isRunning ? "Pause requests" : "Send requests";
  toggle.setAttribute("aria-pressed", String(load.isRunning));
}

async function order(what: FaultOrder): Promise<void> {
  try {
    faults = await api.order(what);
    show();
  } catch (error) {
    showProblem(error instanceof Error ? error.message : String(error));
  }
}

/** Shows all that is known. */
function show(): void {
  if (report === undefined) return;
  const now = performance.now();
  const { answering } = history;
  const unreachable = new Set<string>();
  for (const [at, region] of report.regions.entries()) {
    let row = rows.get(region.region);
    if (row === undefined) {
      row = new RegionRow(region.region, region.title, (what) => void order(what));
      rows.set(region.region, row);
    }
    // Moved only where the order has changed: a move would take the focus away.
    if (list.children[at] !== row.element) list.insertBefore(row.element, list.children[at] ?? null);
    const state = {
      report: region,
      index: region.indexes.find((one) => one.index === index),
      faults: faults[region.region],
      answering: region.region === answering,
      nearest: report.regions.length > 1 && region.region === report.nearest,
      answered: history.answeredBy(region.region),
      medianMs: history.medianMs(region.region),
    };
    row.show({ ...state, strip: history.strip(region.region, now) });
    if (conditionOf(state).kind === "broken") unreachable.add(region.region);
  }
  for (const gone of [...rows.keys()].filter(
    (name) => !report!.regions.some(({ region }) => region === name),
  )) {
    rows.get(gone)!.element.remove();
    rows.delete(gone);
  }
  drawCompass(compass, report, answering, unreachable);
  showNow(answering);
  showPlaces();
  showCounts(now);
  const { resident_bytes: resident, budget_bytes: budget } = report;
  memory.hidden = false;
  setShare(memoryBar, "--part", resident / budget);
  memoryText.textContent = `${bytes(resident)} of ${bytes(budget)} of memory here`;
}

function titleOf(name: string): string {
  return report?.regions.find(({ region }) => region === name)?.title ?? name;
}

function showNow(answering: string | undefined): void {
  if (report === undefined) return;
  const { nearest, regions } = report;
  if (answering === undefined) {
    headline.textContent = regions.length === 1 ? "One region" : counted(regions.length, "region");
    lead.textContent =
      regions.length === 1 ? `It is ${titleOf(nearest)}.` : `${titleOf(nearest)} is nearest to you.`;
    return;
  }
  headline.textContent = `${titleOf(answering)} answers`;
  const median = history.medianMs(answering);
  const speed = median === undefined ? "" : ` Half of all searches take ${milliseconds(median)} or less.`;
  const why = passed.map(({ region, code }) => `${titleOf(region)} (${code})`).join(" and ");
  const only = regions.length === 1 ? "There is no other region." : "It is the nearest to you.";
  lead.textContent =
    answering === nearest ? `${only}${speed}` : `In place of ${why || titleOf(nearest)}.${speed}`;
}

function showCounts(now: number): void {
  const { total, failed: lost } = history.counts;
  const failures = element("span", lost > 0 ? { class: "failures" } : {}, `${lost} failed`);
  if (total > 0) counts.replaceChildren(element("strong", {}, counted(total, "request")), ", ", failures);
  failed.hidden = lost === 0;
  if (lost === 0) return;
  failedStrip.setAttribute("d", history.strip(null, now));
  failedCount.textContent = `${counted(lost, "request")} failed${lastFailure === undefined ? "" : `: ${lastFailure}`}`;
}

/** The places that requests can be made to come from, where the server imitates them. */
function showPlaces(): void {
  const names = Object.keys(faults);
  places.hidden = names.length < 2;
  if (places.hidden || places.querySelector("input") !== null) return;
  for (const name of names) {
    const radio = element("input", { type: "radio", name: "place", value: name });
    radio.checked = name === report?.nearest;
    radio.addEventListener("change", () => {
      api.from = name;
      void api.report().then(
        (found) => {
          report = found;
          show();
        },
        () => undefined,
      );
    });
    places.append(element("label", {}, radio, element("span", {}, `From ${name}`)));
  }
}

let answeredBefore: string | undefined;

/** Says who answers now to those who cannot see it, when that has changed. */
function noteChange(answer: SearchAnswer | undefined): void {
  if (answer === undefined || answer.region === answeredBefore) return;
  const isFirst = answeredBefore === undefined;
  answeredBefore = answer.region;
  if (!isFirst) announcement.textContent = `${titleOf(answer.region)} answers now`;
}

function showProblem(message: string | undefined): void {
  const shown = message === undefined ? [] : [element("p", { class: "notice", role: "alert" }, message)];
  if (notice.textContent !== (message ?? "")) notice.replaceChildren(...shown);
}

function showIndexes(): void {
  const names = [...new Set([...settings.indexes, ...(index === undefined ? [] : [index])])];
  if (names.length < 2) {
    indexPlace.textContent = names[0] ?? "";
    return;
  }
  const select = element("select", { "aria-label": "Index" });
  select.append(...names.map((name) => element("option", { value: name }, name)));
  select.value = index ?? "";
  select.addEventListener("change", () => {
    index = select.value;
    show();
  });
  indexPlace.replaceChildren(select);
}

box.value = settings.examples[0] ?? QUERY;
toggle.addEventListener("click", () => run(!load.isRunning));
sending.addEventListener("submit", (event) => {
  event.preventDefault();
  run(true);
});
setInterval(() => {
  if (!document.hidden) show();
}, DRAW_MS);
showIndexes();
void look();
