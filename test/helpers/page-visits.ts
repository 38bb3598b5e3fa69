/** The built page in a real browser, over fake indexes. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { buildPage } from "../../indexer/build-page.ts";
import { type Listening, listen, testApp } from "./edge-app.ts";
import { FAKE_DOCUMENTS, fakeIndex } from "./fake-index.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"].concat([
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]);

/** Markup that says so in `window.hacked` when it is taken for markup. */
export const HOSTILE = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;

const DOCUMENTS = [
  ...FAKE_DOCUMENTS,
  {
    id: `x/${HOSTILE}`,
    fields: {
      title: `hostile ${HOSTILE}`,
      text: `hostile ${HOSTILE}`,
      url: "javascript:window.hacked=1",
      [HOSTILE]: HOSTILE,
    },
  },
  ...Array.from({ length: 45 }, (_, at) => ({
    id: `note-${at}`,
    fields: { title: `Note ${at}`, text: "many notes" },
  })),
];

/**
 * Path of a browser, from the variable CHROMIUM or where systems put it; undefined, and a line
 * that says so, where there is none.
 */
export function findBrowser(): string | undefined {
  const path = process.env.CHROMIUM ?? BROWSERS.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    console.log(`Page tests are skipped: no browser at ${BROWSERS.join(", ")} or in CHROMIUM.`);
  }
  return path;
}

/** Visits to the page. The index `docs` fails for the query `broken`. */
export class PageVisits {
  /**
   * What the server does before it answers: it may wait, or throw to cut the connection. Gone
   * after each visit.
   */
  before: ((url: URL) => Promise<void>) | undefined;
  #browser: Browser | undefined;
  #server: Listening | undefined;

  /** Builds the page into this file under build/, serves it and starts the browser. */
  async start(executablePath: string, file: string): Promise<void> {
    await buildPage(ROOT, `build/${file}`);
    const page = await readFile(`${ROOT}/build/${file}`, "utf8");
    const index = fakeIndex({
      documents: DOCUMENTS,
      beforeSearch: ({ q }) => {
        if (q === "broken") throw new Error("secret");
      },
    });
    const { app } = testApp([index, fakeIndex({ name: "other", tasks: ["search", "claim"] })], {
      page,
      settings: { indexes: ["docs", "other"], examples: ["meaning", `"${HOSTILE}`] },
    });
    this.#server = await listen(app, async (request) => this.before?.(new URL(request.url)));
    this.#browser = await launchBrowser(executablePath);
  }

  /** Ends the browser and the server. */
  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.#server?.close();
  }

  /**
   * Visits a path. Throws for any script error, breach of the page's policy, request to elsewhere
   * or script from data.
   */
  async to(
    path: string,
    act: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    try {
      await visit(this.#browser!, this.#server!.url, path, act, options);
    } finally {
      this.before = undefined;
    }
  }
}

/** Starts the browser at this path. */
export function launchBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

/** Visits a path of any server. Throws as `PageVisits.to`. */
export async function visit(
  browser: Browser,
  origin: string,
  path: string,
  act: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext(options);
  const faults: string[] = [];
  try {
    const page = await context.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) faults.push(message.text());
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.origin !== origin && url.protocol !== "data:") faults.push(`It asked for ${url}.`);
    });
    await page.goto(origin + path);
    await act(page);
    if (await page.evaluate("window.hacked")) faults.push("Data ran as script.");
    if (faults.length > 0) throw new Error(faults.join("\n"));
  } finally {
    await context.close();
  }
}

/** The headings of the results that are shown. */
export function titles(page: Page): Promise<readonly string[]> {
  return page.locator(".title").allTextContents();
}

/** Text of the element that has the focus, or its id where it has no text. */
export function focused(page: Page): Promise<string> {
  return page.evaluate<string>("document.activeElement.textContent || document.activeElement.id");
}

/** The contrast of an element's text by WCAG 2.2, its background composed of all that lie behind it. */
export function contrast(page: Page, selector: string): Promise<number> {
  return page.evaluate<number>(`{
    const element = document.querySelector(${JSON.stringify(selector)});
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const paint = canvas.getContext("2d", { willReadFrequently: true });
    const behind = [];
    for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
    const luminance = (colors) => {
      for (const color of colors) {
        paint.fillStyle = color;
        paint.fillRect(0, 0, 1, 1);
      }
      const linear = [...paint.getImageData(0, 0, 1, 1).data].map((byte) => {
        const part = byte / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const back = luminance(behind);
    const front = luminance([...behind, getComputedStyle(element).color]);
    (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
  }`);
}
