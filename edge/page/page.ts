/** The search page: what is typed, what is asked, what is shown. */
import { REQUEST_LIMITS } from "../../shared/limits.ts";
import type { Hit, SearchAnswer } from "../../shared/types.ts";
import { fetchIndexFacts, PAGE_SIZE, SearchClient } from "./client.ts";
import { correctionLine } from "./correction.ts";
import { DocumentView } from "./document-view.ts";
import { byId, element } from "./dom.ts";
import { legend } from "./explain.ts";
import { ago, count, counted, timing } from "./format.ts";
import { hitElement, titles } from "./hits.ts";
import { listenToKeys } from "./keys.ts";
import { failed, noIndex, noResults, welcome } from "./notices.ts";
import { readSettings, readView, type View, writeView } from "./settings.ts";

/** Milliseconds of rest before a count is read out: at every keystroke it would never be heard to the end. */
const ANNOUNCE_AFTER_MS = 700;

const form = byId("form", HTMLFormElement);
const controls = byId("controls", HTMLDivElement);
const box = byId("q", HTMLInputElement);
const clear = byId("clear", HTMLButtonElement);
const explain = byId("explain", HTMLInputElement);
const status = byId("status", HTMLParagraphElement);
const correction = byId("correction", HTMLParagraphElement);
const announcement = byId("announcement", HTMLParagraphElement);
const hits = byId("hits", HTMLOListElement);
const more = byId("more", HTMLDivElement);
const notice = byId("notice", HTMLDivElement);
const legendPlace = byId("legend", HTMLDivElement);
const facts = byId("facts", HTMLSpanElement);
const indexPlace = byId("index", HTMLDivElement);
const taskPlace = byId("task", HTMLDivElement);

const settings = readSettings();
const client = new SearchClient();
const documentView = new DocumentView();
let view = readView(settings);
let announceLater: ReturnType<typeof setTimeout> | undefined;

/** Changes the view and shows what it asks for. */
function change(next: Partial<View>): void {
  view = { ...view, ...next };
  writeView(view, settings);
  showControls();
  void search(0);
}

/** Another query: what was wanted of the spelling of the one before says nothing about it. */
function ask(q: string): void {
  change({ q, typos: true });
}

async function search(offset: number): Promise<void> {
  const { index, q } = view;
  if (index === undefined || q.trim() === "") {
    client.cancel();
    form.classList.remove("busy");
    showNotice(index === undefined ? noIndex() : welcome(settings.examples, ask));
    return;
  }
  form.classList.add("busy");
  const outcome = await client.search({ ...view, index }, offset);
  // Overtaken: the newer search owns the page, its sign of being busy included.
  if (outcome === null) return;
  form.classList.remove("busy");
  if ("failure" in outcome) showNotice(failed(outcome.failure, () => void search(0)));
  else showAnswer(outcome.answer, offset, outcome.roundTripMs);
}

function showAnswer(answer: SearchAnswer, offset: number, roundTripMs: number): void {
  const last = offset + answer.hits.length;
  const total = Math.max(answer.total, last);
  if (total === 0) {
    const section = noResults(view.q, answer.mode, () => change({ mode: "hybrid" }));
    showNotice(section, `No results, ${timing(answer, roundTripMs)}.`);
    showCorrection(answer);
    return;
  }
  notice.replaceChildren();
  legendPlace.replaceChildren(...(view.explain ? [legend()] : []));
  // What paging can reach ends somewhere; there may be more that nobody counted.
  const all = `${total >= REQUEST_LIMITS.window ? "the best " : ""}${counted(total, "result")}`;
  const found = last < total ? `${count(last)} of ${all}` : all;
  status.replaceChildren(element("strong", {}, found), ` in ${timing(answer, roundTripMs)}`);
  for (const warning of answer.warnings ?? []) status.append(` · ${warning}`);
  const corrected = showCorrection(answer);
  announce(corrected === "" ? found : `${found} ${corrected}`);
  const items = answer.hits.map((hit) => hitElement(hit, open));
  if (offset === 0) {
    hits.replaceChildren(...items);
    window.scrollTo({ top: 0 });
  } else {
    hits.append(...items);
    titles(hits)[offset]?.focus();
  }
  showMore(last, total, answer.hits.length);
}

/** Shows what was corrected, if anything. Gives it in words. */
function showCorrection({ corrections }: SearchAnswer): string {
  if (corrections === undefined) {
    correction.replaceChildren();
    return "";
  }
  const { children, spoken } = correctionLine(corrections, () => {
    change({ typos: false });
    box.focus();
  });
  correction.replaceChildren(...children);
  return spoken;
}

function showMore(last: number, total: number, got: number): void {
  const within = last < total && got > 0 && last + PAGE_SIZE <= REQUEST_LIMITS.window;
  if (!within) {
    more.replaceChildren();
    return;
  }
  const button = element("button", { class: "quiet", type: "button" }, "Show more");
  button.addEventListener("click", () => void search(last));
  more.replaceChildren(button);
}

/** Shows a notice in place of results. */
function showNotice(section: HTMLElement, line = ""): void {
  hits.replaceChildren();
  more.replaceChildren();
  legendPlace.replaceChildren();
  correction.replaceChildren();
  status.textContent = line;
  notice.replaceChildren(section);
  announce(line === "" ? "" : "No results");
}

function announce(text: string): void {
  clearTimeout(announceLater);
  announceLater = setTimeout(() => {
    announcement.textContent = text;
  }, ANNOUNCE_AFTER_MS);
}

function open(hit: Hit): void {
  if (view.index !== undefined) void documentView.show(view.index, hit);
}

function showControls(): void {
  // Not while it is being typed in: the cursor would jump to the end.
  if (box.value !== view.q) box.value = view.q;
  clear.hidden = view.q === "";
  explain.checked = view.explain;
  for (const radio of controls.querySelectorAll<HTMLInputElement>('input[name="mode"]')) {
    radio.checked = radio.value === view.mode;
  }
}

function showIndexes(): void {
  const { index } = view;
  const names = [...new Set([...settings.indexes, ...(index === undefined ? [] : [index])])];
  if (names.length < 2) {
    indexPlace.textContent = names[0] ?? "";
    return;
  }
  const options = names.map((name) => element("option", { value: name }, name));
  const select = element("select", { "aria-label": "Index" }, ...options);
  select.value = index ?? "";
  select.addEventListener("change", () => {
    change({ index: select.value, task: undefined });
    void showFacts();
  });
  indexPlace.replaceChildren(select);
}

/** A choice of tasks, where the index has several. */
function showTasks(tasks: readonly string[]): void {
  if (tasks.length < 2) {
    taskPlace.replaceChildren();
    return;
  }
  const options = tasks.map((name) => element("option", { value: name }, name));
  const select = element("select", { "aria-label": "Task" }, ...options);
  select.value = view.task ?? tasks[0]!;
  select.addEventListener("change", () =>
    change({ task: select.value === tasks[0] ? undefined : select.value }),
  );
  taskPlace.replaceChildren(select);
}

/** The foot of the page, and the tasks. It also warms the index up; where it fails, searching will say why. */
async function showFacts(): Promise<void> {
  const { index } = view;
  facts.textContent = "";
  taskPlace.replaceChildren();
  if (index === undefined) return;
  const found = await fetchIndexFacts(index).catch(() => undefined);
  if (found === undefined || view.index !== index) return;
  const { documents, chunks, model, version, age_s, tasks } = found;
  showTasks(tasks);
  const size = `${counted(documents, "document")}, ${counted(chunks, "passage")}`;
  facts.textContent = `${size} · ${model} · version ${version}, built ${ago(age_s)}`;
}

box.addEventListener("input", () => ask(box.value));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void search(0);
});
controls.addEventListener("change", (event) => {
  if (event.target === explain) change({ explain: explain.checked });
  const mode = new FormData(form).get("mode");
  if (mode !== view.mode && (mode === "hybrid" || mode === "dense" || mode === "sparse")) change({ mode });
});
clear.addEventListener("click", () => {
  ask("");
  box.focus();
});
window.addEventListener("online", () => void search(0));
listenToKeys({
  box,
  list: hits,
  isReading: () => documentView.isOpen,
  clear: () => ask(""),
});

// On a touch screen the focus would bring up the keyboard over the examples.
if (matchMedia("(pointer: fine)").matches) box.focus();
showControls();
showIndexes();
void search(0);
void showFacts();
