import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findBrowser, focused, HOSTILE, PageVisits, titles } from "../helpers/page-visits.ts";

const browser = findBrowser();

describe.skipIf(browser === undefined)("the page", { timeout: 30_000 }, () => {
  const visits = new PageVisits();
  beforeAll(() => visits.start(browser!, "test-page.html"));
  afterAll(() => visits.stop());

  test("shows results while somebody types, and keeps the query in the address", async () => {
    await visits.to("/", async (page) => {
      await page.getByRole("heading", { name: "Search by meaning, as you type" }).waitFor();
      await page.keyboard.type("meaning");
      await page.getByRole("button", { name: "Searching by meaning" }).waitFor();
      expect(await page.locator("#status").textContent()).toMatch(
        /^1 result in 0\.42 ms on the server, [\d.]+ ms round trip, no model was run$/,
      );
      expect(await page.locator(".snippet mark").allTextContents()).toEqual(["meaning"]);
      expect(new URL(page.url()).search).toBe("?q=meaning");
      expect(await page.title()).toBe("meaning - Lightedge");
      expect(await page.locator("#facts").textContent()).toMatch(
        /^49 documents, 49 passages · fake · version 7-/,
      );
      await expect.poll(() => page.locator("#announcement").textContent()).toBe("1 result");
    });
  });

  test("never shows an older answer over a newer one", async () => {
    await visits.to("/", async (page) => {
      let release = () => {};
      const slow = new Promise<void>((resolve) => {
        release = resolve;
      });
      const asked: string[] = [];
      visits.before = async (url) => {
        const q = url.searchParams.get("q") ?? "";
        asked.push(q);
        if (q === "words") await slow;
      };
      await page.locator("#q").fill("words");
      await expect.poll(() => asked).toContain("words");
      await page.locator("#q").fill("meaning");
      await page.getByRole("button", { name: "Searching by meaning" }).waitFor();
      release();
      await page.waitForTimeout(150);
      expect(await titles(page)).toEqual(["Searching by meaning"]);
    });
  });

  test("shows the newest of answers that cannot be called back any more", async () => {
    await visits.to("/", async (page) => {
      // A fetch that ignores its signal, as one whose last byte has come.
      await page.evaluate(`{
        const real = window.fetch;
        window.fetch = async (path, init) => {
          const answer = await real(path, { ...init, signal: undefined });
          await new Promise((resolve) => setTimeout(resolve, path.includes("words") ? 200 : 20));
          return answer;
        };
      }`);
      await page.locator("#q").fill("words");
      await page.locator("#q").fill("meaning");
      await page.waitForTimeout(350);
      expect(await titles(page)).toEqual(["Searching by meaning"]);
    });
  });

  test("is walked by keyboard: slash, arrows, Enter, Escape", async () => {
    await visits.to("/?q=searching", async (page) => {
      await page.locator(".hit").nth(1).waitFor();
      await page.keyboard.press("ArrowDown");
      expect(await focused(page)).toBe("Searching by meaning");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      expect(await focused(page)).toBe("Searching by words");
      await page.keyboard.press("Enter");
      const dialog = page.getByRole("dialog", { name: "Searching by words" });
      await dialog.getByText("Names, codes and rare terms").waitFor();
      expect(await dialog.locator("mark").textContent()).toHaveLength(80);
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "hidden" });
      expect(await focused(page)).toBe("Searching by words");
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("ArrowUp");
      expect(await focused(page)).toBe("q");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("/");
      expect(await focused(page)).toBe("q");
      await page.keyboard.press("Escape");
      expect(await page.locator("#q").inputValue()).toBe("");
      await page.getByRole("heading", { name: "Search by meaning, as you type" }).waitFor();
    });
  });

  test("switches the mode by the arrow keys of its radio group, and keeps it in the address", async () => {
    await visits.to("/?q=meaning", async (page) => {
      await page.getByRole("radio", { name: "Hybrid" }).focus();
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowRight");
      expect(await page.getByRole("radio", { name: "Words" }).isChecked()).toBe(true);
      await expect.poll(() => new URL(page.url()).search).toBe("?q=meaning&mode=sparse");
      await page.reload();
      expect(await page.getByRole("radio", { name: "Words" }).isChecked()).toBe(true);
    });
  });

  test("explains each word, also to those who cannot see the bars", async () => {
    await visits.to("/?q=meaning+zebra", async (page) => {
      await page.getByText("scores").click();
      expect(await page.locator(".scores").textContent()).toContain("meaning0.4000");
      await page.getByText("Explain").click();
      const words = page.getByRole("list", { name: "What each word of the query gave" });
      await words.waitFor();
      expect(await words.locator("li").allTextContents()).toEqual([
        "meaning: meaning 0.333, words 7.00",
        "zebra: meaning -0.040, words 0.00",
      ]);
      const share = (at: number) =>
        page.evaluate(`document.querySelectorAll(".word")[${at}].style.getPropertyValue("--share")`);
      expect([await share(0), await share(1)]).toEqual(["1.000", "0.000"]);
      expect(await words.locator(".against").count()).toBe(1);
    });
  });

  test("shows markup in titles, snippets, ids, fields and examples as the text it is", async () => {
    await visits.to("/", async (page) => {
      expect(await page.locator(".example").nth(1).textContent()).toBe(`"${HOSTILE}`);
      await page.locator("#q").fill("hostile");
      await page.locator(".hit").waitFor();
      expect(await titles(page)).toEqual([`hostile ${HOSTILE}`]);
      expect(await page.locator(".snippet").textContent()).toBe(`hostile ${HOSTILE}`);
      expect(await page.locator(".id").textContent()).toBe(`x/${HOSTILE}`);
      await page.locator(".title").click();
      await page.locator("dialog .facts").waitFor();
      expect(await page.locator("dialog .facts").textContent()).toContain(`${HOSTILE}${HOSTILE}`);
      expect(await page.locator("dialog a, main img, dialog img").count()).toBe(0);
      await page.keyboard.press("Escape");
      await page.locator("#q").fill(HOSTILE);
      await page.waitForTimeout(100);
    });
  });
});
