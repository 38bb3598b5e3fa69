import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contrast, findBrowser, focused, PageVisits } from "../helpers/page-visits.ts";

const browser = findBrowser();

describe.skipIf(browser === undefined)("the page in each of its states", { timeout: 30_000 }, () => {
  const visits = new PageVisits();
  beforeAll(() => visits.start(browser!, "test-page-states.html"));
  afterAll(() => visits.stop());

  test("shows more results on demand", async () => {
    await visits.to("/?q=notes", async (page) => {
      await page.getByRole("button", { name: "Show more" }).click();
      await expect.poll(() => page.locator(".hit").count()).toBe(40);
      expect(await page.locator("#status").textContent()).toContain("40 of 45 results");
      expect(await focused(page)).toBe("Note 20");
      await page.getByRole("button", { name: "Show more" }).click();
      await expect.poll(() => page.locator(".hit").count()).toBe(45);
      expect(await page.getByRole("button", { name: "Show more" }).count()).toBe(0);
    });
  });

  test("says that nothing was found, and offers meaning where only words were searched", async () => {
    await visits.to("/?q=zzz&mode=sparse", async (page) => {
      await page.getByRole("heading", { name: "Nothing was found" }).waitFor();
      await page.getByRole("button", { name: "Search by meaning too" }).click();
      expect(await page.getByRole("radio", { name: "Hybrid" }).isChecked()).toBe(true);
    });
  });

  test("says what the server said when it fails, and recovers", async () => {
    await visits.to("/?q=broken", async (page) => {
      await page.getByRole("heading", { name: "The server could not answer" }).waitFor();
      expect(await page.getByRole("alert").textContent()).toMatch(
        /Something failed on the server\. Request [\da-f-]+\./,
      );
      await page.locator("#q").fill("a".repeat(9000));
      await page.getByText("q is longer than 8192 bytes of UTF-8.").waitFor();
      expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
      await page.locator("#q").fill("meaning");
      await page.getByRole("button", { name: "Searching by meaning" }).waitFor();
      expect(await page.getByRole("alert").count()).toBe(0);
    });
  });

  test("says that there is no connection, and tries again when told", async () => {
    await visits.to("/", async (page) => {
      visits.before = async ({ pathname }) => {
        if (pathname.endsWith("search")) throw new Error("cut");
      };
      await page.locator("#q").fill("meaning");
      await page.getByRole("heading", { name: "No connection" }).waitFor();
      visits.before = undefined;
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("button", { name: "Searching by meaning" }).waitFor();
    });
  });

  test("offers the tasks of an index that has several, and asks for the one that was chosen", async () => {
    await visits.to("/?q=meaning", async (page) => {
      const asked: (string | null)[] = [];
      visits.before = async (url) => {
        if (url.pathname.endsWith("/search")) asked.push(url.searchParams.get("task"));
      };
      const choice = page.getByRole("combobox", { name: "Task" });
      await page.locator("#facts").filter({ hasText: "documents" }).waitFor();
      expect(await choice.count()).toBe(0);
      await page.getByRole("combobox", { name: "Index" }).selectOption("other");
      await choice.selectOption("claim");
      await expect.poll(() => asked.at(-1)).toBe("claim");
      expect(new URL(page.url()).searchParams.get("task")).toBe("claim");
      await page.reload();
      expect(await choice.inputValue()).toBe("claim");
      await choice.selectOption("search");
      await expect.poll(() => asked.at(-1)).toBe(null);
      await choice.selectOption("claim");
      await page.getByRole("combobox", { name: "Index" }).selectOption("docs");
      await expect.poll(() => choice.count()).toBe(0);
      expect(new URL(page.url()).search).toBe("?q=meaning");
    });
  });

  test("changes the index", async () => {
    await visits.to("/?q=notes", async (page) => {
      await page.locator(".hit").first().waitFor();
      await page.getByRole("combobox", { name: "Index" }).selectOption("other");
      await page.getByRole("heading", { name: "Nothing was found" }).waitFor();
      expect(new URL(page.url()).search).toBe("?index=other&q=notes");
      await expect.poll(() => page.locator("#facts").textContent()).toMatch(/^3 documents/);
    });
  });

  test.each(["light", "dark"] as const)("can be read in the %s", async (colorScheme) => {
    const act = async (page: Page) => {
      await page.locator(".word").first().waitFor();
      for (const selector of [
        ".title",
        ".snippet",
        ".id",
        "#status",
        "#facts",
        ".heading",
        ".scores dt",
        ".word > span",
        ".modes span",
        ".snippet mark",
      ]) {
        expect(await contrast(page, selector), selector).toBeGreaterThanOrEqual(4.5);
      }
    };
    await visits.to("/?q=meaning+car&explain=true", act, { colorScheme });
  });

  test("fits a narrow screen without scrolling sideways", async () => {
    const act = async (page: Page) => {
      await page.locator(".hit").first().waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
      await page.locator(".title").first().click();
      await page.locator("dialog .facts").waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
    };
    await visits.to("/?q=hostile&explain=true", act, { viewport: { width: 320, height: 640 } });
  });

  test("does not move for those who asked for less motion", async () => {
    const act = async (page: Page) => {
      expect(
        await page.evaluate(`getComputedStyle(document.querySelector(".field")).transitionDuration`),
      ).toMatch(/^0s/);
    };
    await visits.to("/", act, { reducedMotion: "reduce" });
  });
});
