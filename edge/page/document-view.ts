/** One document in a dialog, scrolled to the passage that was found. */
import type { StoredDocument } from "../../shared/engine/api.ts";
import type { Hit } from "../../shared/types.ts";
import { fetchDocument, RequestFailed } from "./client.ts";
import { byId, element, marked } from "./dom.ts";
import { sourceOf, titleField, titleOf, valueText } from "./fields.ts";
import { failed } from "./notices.ts";

/** The dialog of page/index.html. */
export class DocumentView {
  readonly #dialog = byId("document", HTMLDialogElement);
  readonly #title = byId("document-title", HTMLHeadingElement);
  readonly #body = byId("document-body", HTMLElement);
  #loading: AbortController | undefined;

  constructor() {
    // The title takes the focus when a document opens, and the arrow keys scroll its body.
    this.#title.tabIndex = -1;
    this.#body.tabIndex = 0;
    byId("document-close", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
    // The dialog itself is hit only around its content, which is the backdrop.
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    this.#dialog.addEventListener("close", () => this.#loading?.abort());
  }

  /** Whether a document is being read. */
  get isOpen(): boolean {
    return this.#dialog.open;
  }

  /** Opens the document of a hit. The browser gives the focus back to the hit on closing. */
  async show(index: string, hit: Hit): Promise<void> {
    this.#loading?.abort();
    const own = new AbortController();
    this.#loading = own;
    this.#title.textContent = titleOf(hit.id, hit.fields);
    this.#body.replaceChildren();
    this.#body.setAttribute("aria-busy", "true");
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#title.focus();
    try {
      const document = await fetchDocument(index, hit.id, own.signal);
      if (this.#loading === own) this.#render(document, hit);
    } catch (error) {
      if (own.signal.aborted) return;
      if (!(error instanceof RequestFailed)) throw error;
      this.#body.replaceChildren(failed(error.failure, () => void this.show(index, hit)));
    } finally {
      if (this.#loading === own) this.#body.removeAttribute("aria-busy");
    }
  }

  #render({ id, fields }: StoredDocument, hit: Hit): void {
    const { text, ...others } = fields;
    const heading = titleField(fields);
    const body: Node[] = [];
    const source = sourceOf(fields, hit.passage);
    if (source !== null) {
      const link = { class: "source", href: source.href, target: "_blank", rel: "noopener noreferrer" };
      body.push(element("a", link, `Read at ${source.host} ↗`));
    }
    if (typeof text === "string" && text !== "") {
      const { start, end } = hit.passage;
      // A passage that is the whole text would mark everything, which marks nothing.
      const whole = start === 0 && end >= text.length;
      body.push(element("div", { class: "text" }, marked(text, whole ? [] : [[start, end]])));
    }
    const shown = Object.entries(others).filter(([name]) => name !== heading);
    const facts = [["id", id] as const, ...shown].flatMap(([name, value]) => [
      element("dt", {}, name),
      element("dd", {}, valueText(value)),
    ]);
    body.push(element("dl", { class: "facts" }, ...facts));
    this.#body.replaceChildren(...body);
    const mark = this.#body.querySelector("mark");
    if (mark === null) this.#body.scrollTop = 0;
    else mark.scrollIntoView({ block: mark.offsetHeight < this.#body.clientHeight ? "center" : "start" });
  }
}
