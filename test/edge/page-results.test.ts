import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SearchAnswer } from "../../shared/types.ts";
import { findBrowser, focused, PageVisits } from "../helpers/page-visits.ts";

const browser = findBrowser();

describe.skipIf(browser === undefined)("the page's results", { timeout: 30_000 }, () => {
  const visits = new PageVisits();
  beforeAll(() => visits.start(browser!, "test-page-results.html"));
  afterAll(() => visits.stop());

  test("open by a click anywhere on them, and give the focus back", async () => {
    await visits.to("/?q=meaning", async (page) => {
      await page.locator(".snippet").click();
      const dialog = page.getByRole("dialog", { name: "Searching by meaning" });
      await dialog.waitFor();
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "hidden" });
      expect(await focused(page)).toBe("Searching by meaning");
    });
  });

  test("stay where they are for somebody who unfolds scores or marks words to copy them", async () => {
    await visits.to("/?q=meaning", async (page) => {
      await page.getByText("scores").click();
      await page.locator(".scores").click();
      const box = (await page.locator(".snippet").boundingBox())!;
      await page.mouse.move(box.x + 5, box.y + 12);
      await page.mouse.down();
      await page.mouse.move(box.x + 200, box.y + 12, { steps: 4 });
      await page.mouse.up();
      expect(await page.evaluate("getSelection().toString().length")).toBeGreaterThan(5);
      expect(await page.getByRole("dialog").count()).toBe(0);
    });
  });

  test("scroll below the search box, which stays in sight, and the one with the focus is never behind it", async () => {
    await visits.to("/?q=notes", async (page) => {
      await page.locator(".hit").nth(19).waitFor();
      await page.evaluate("scrollTo(0, 1500)");
      expect((await page.locator("#q").boundingBox())!.y).toBeGreaterThanOrEqual(0);
      expect((await page.locator("#q").boundingBox())!.y).toBeLessThan(60);
      for (let at = 0; at < 12; at++) await page.keyboard.press("ArrowDown");
      for (let at = 0; at < 8; at++) await page.keyboard.press("ArrowUp");
      expect(await focused(page)).toBe("Note 3");
      const field = (await page.locator(".field").boundingBox())!;
      const row = (await page.locator(".hit").nth(3).boundingBox())!;
      expect(row.y).toBeGreaterThanOrEqual(field.y + field.height);
    });
  });

  test("show where a snippet is cut, and that more was found than can be paged through", async () => {
    await visits.to("/", async (page) => {
      await answerWith(page, (answer) => ({
        ...answer,
        total: 1000,
        hits: answer.hits.map((hit) => ({ ...hit, snippet: { text: "no word in common", marks: [[3, 7]] } })),
      }));
      await page.locator("#q").fill("meaning");
      await page.locator(".hit").waitFor();
      expect(await page.locator(".snippet").textContent()).toBe("… no word in common …");
      expect(await page.locator(".snippet mark").textContent()).toBe("word");
      expect(await page.locator("#status strong").textContent()).toBe("1 of the best 1,000 results");
    });
  });

  test("say what was searched for in place of misspelt words, and search for those on demand", async () => {
    await visits.to("/", async (page) => {
      await answerWith(page, (answer, url) =>
        url.searchParams.get("typos") === "false" ? answer : { ...answer, corrections: CORRECTIONS },
      );
      const line = page.locator("#correction");
      await page.locator("#q").fill("meaning search");
      await page.locator(".hit").first().waitFor();
      expect(await line.textContent()).toBe(
        "Showing results for meaning, search; search for “Meanign”, “serch” instead",
      );
      expect(await line.locator("strong").allTextContents()).toEqual(["meaning", "search"]);
      await expect
        .poll(() => page.locator("#announcement").textContent())
        .toMatch(/results for meaning, search$/);
      await page.getByRole("button", { name: "search for “Meanign”, “serch” instead" }).click();
      await expect.poll(() => line.textContent()).toBe("");
      expect(page.url()).toContain("typos=false");
      expect(await focused(page)).toBe("q");
      await page.locator("#q").fill("meaning");
      await expect.poll(() => line.textContent()).not.toBe("");
      expect(page.url()).not.toContain("typos");
    });
  });
});

/** The corrections that the server would say were made. */
const CORRECTIONS = [
  { word: "Meanign", start: 0, end: 7, used: "meaning" },
  { word: "serch", start: 8, end: 13, used: "search" },
];

/** Changes the answers to searches on their way to the page. */
async function answerWith(
  page: Page,
  change: (answer: SearchAnswer, url: URL) => SearchAnswer,
): Promise<void> {
  await page.route("**/search?**", async (route) => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      json: change((await response.json()) as SearchAnswer, new URL(route.request().url())),
    });
  });
}
