/** The page of the regions in a real browser, over a real server of three regions. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Serving, serve } from "../../indexer/serve.ts";
import type { RegionsReport } from "../../shared/regions/report.ts";
import { contrast, findBrowser, focused, launchBrowser, visit } from "../helpers/page-visits.ts";
import { buildTiny, copyOf, TINY } from "../helpers/tiny-build.ts";

const executable = findBrowser();
const LATE = { timeout: 15_000, interval: 100 };

describe.skipIf(executable === undefined)("the page of the regions", { timeout: 60_000 }, () => {
  let browser: Browser;
  let serving: Serving;
  /** The same without a control, as a deployment is. */
  let deployed: Serving;

  beforeAll(async () => {
    const { store } = await buildTiny();
    const copies = await Promise.all([copyOf(store), copyOf(store)]);
    const options = {
      ...{ store, host: "127.0.0.1", port: 0, indexes: [TINY], examples: ["the river boat"] },
      ...{ pointerMaxAge: 0, maxStale: 1 },
      regions: [
        { name: "weur", store },
        { name: "enam", store: copies[0]! },
        { name: "apac", store: copies[1]! },
      ],
    } as const;
    browser = await launchBrowser(executable!);
    serving = await serve({ ...options, control: 0 });
    deployed = await serve(options);
  });
  afterEach(() => order({ heal: true }));
  afterAll(async () => {
    await browser?.close();
    await serving?.close();
    await deployed?.close();
  });

  const order = (body: object) =>
    fetch(`${serving.control}/faults`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const to = (act: (page: Page) => Promise<void>, options: BrowserContextOptions = {}) =>
    visit(browser, new URL(serving.url).origin, "/regions", act, options);
  const headline = (page: Page) => page.locator("h1").textContent();
  const row = (page: Page, region: string) => page.locator(`[data-region="${region}"]`);
  const fact = (page: Page, region: string, name: string) =>
    row(page, region)
      .locator("dl > div", { hasText: new RegExp(`^${name}`) })
      .locator("dd")
      .textContent();

  test("shows what /v1/regions says of each region, and who answers", async () => {
    const complaints: string[] = [];
    await to(async (page) => {
      page.on("console", (message) => complaints.push(message.text()));
      await expect.poll(() => headline(page), LATE).toBe("Western Europe answers");
      const report = (await (await fetch(new URL("/v1/regions", serving.url))).json()) as RegionsReport;
      const names = await page.evaluate(
        "[...document.querySelectorAll('[data-region]')].map((row) => row.dataset.region)",
      );
      expect(names).toEqual(report.regions.map(({ region }) => region));
      for (const { region, title, distance_km, indexes } of report.regions) {
        expect(await row(page, region).locator("h2").textContent()).toBe(`${title}${region}`);
        expect(await fact(page, region, "version")).toContain(indexes[0]!.version!);
        const km = `${new Intl.NumberFormat("en").format(distance_km!)} km`;
        expect(await fact(page, region, "distance")).toBe(region === "weur" ? `${km}, nearest` : km);
        expect(await fact(page, region, "behind")).toBe("none");
        await expect.poll(() => fact(page, region, "store"), LATE).toMatch(/^[\d,.]+ ms$/);
      }
      expect(await row(page, "weur").locator(".condition").textContent()).toBe("Answering");
      expect(await row(page, "enam").locator(".condition").textContent()).toBe("Standing by");
      expect(await row(page, "weur").locator(".shards").textContent()).toMatch(
        /^\d+ shards? in the Worker: \d+ /,
      );
      const memory = page.locator("#memory-text");
      await expect.poll(() => memory.textContent(), LATE).toMatch(/^[1-9].* KiB of 32 MiB of memory here$/);
      await expect
        .poll(() => page.locator("#counts").textContent(), LATE)
        .toMatch(/^\d+ requests, 0 failed$/);
      expect(await row(page, "weur").locator("path").getAttribute("d")).toMatch(/^(M[\d.]+ 28V[\d.]+)+$/);
    });
    expect(complaints).toEqual([]);
  });

  test("shows a failover while requests go on, and the way back", async () => {
    await to(async (page) => {
      await expect.poll(() => headline(page), LATE).toBe("Western Europe answers");
      const button = page.getByRole("button", { name: "Cut off weur" });
      await button.focus();
      await page.keyboard.press("Enter");
      await expect.poll(() => headline(page), LATE).toBe("Eastern North America answers");
      expect(await page.locator("#lead").textContent()).toMatch(
        /^In place of Western Europe \(store\/unavailable\)\./,
      );
      expect(await row(page, "weur").locator(".condition").textContent()).toBe("Cut off");
      expect(await row(page, "enam").locator(".condition").textContent()).toBe("Answering");
      expect(await page.locator("#announcement").textContent()).toBe("Eastern North America answers now");
      expect(await focused(page)).toBe("Heal");
      await page.keyboard.press("Enter");
      await expect.poll(() => headline(page), LATE).toBe("Western Europe answers");
      await expect.poll(() => row(page, "weur").locator(".condition").textContent(), LATE).toBe("Answering");
      expect(await page.locator("#counts").textContent()).toMatch(/, 0 failed$/);
      expect(await page.locator("#failed").isVisible()).toBe(false);
    });
  });

  test("counts and draws what nobody answers", async () => {
    await to(async (page) => {
      await expect.poll(() => headline(page), LATE).toBe("Western Europe answers");
      await order({ cut: "refuse" });
      const failed = page.getByRole("region", { name: "Requests that nobody answered" });
      await failed.waitFor({ timeout: 15_000 });
      expect(await failed.textContent()).toMatch(/\d+ requests? failed: /);
      await order({ heal: true });
      await expect.poll(() => row(page, "weur").locator(".condition").textContent(), LATE).toBe("Answering");
    });
  });

  test("asks from another place", async () => {
    await to(async (page) => {
      await page.getByText("From apac").click();
      await expect.poll(() => headline(page), LATE).toBe("Asia-Pacific answers");
      await expect.poll(() => fact(page, "apac", "distance"), LATE).toBe("0 km, nearest");
      expect(await page.getByRole("radio", { name: "From apac" }).isChecked()).toBe(true);
      expect(await page.locator("[data-region]").first().getAttribute("data-region")).toBe("apac");
    });
  });

  test("slows a region, and says how much longer its searches take", async () => {
    await to(async (page) => {
      await page.getByRole("button", { name: "Slow down enam" }).click();
      await page.getByRole("button", { name: "Speed up enam" }).waitFor();
      const faults = await (await fetch(`${serving.control}/faults`)).json();
      expect(faults).toMatchObject({ regions: { enam: { slow_ms: 400 }, weur: { slow_ms: 0 } } });
      await page.getByRole("button", { name: "Evict shards weur" }).click();
      await page.getByRole("button", { name: "Speed up enam" }).click();
      await page.getByRole("button", { name: "Slow down enam" }).waitFor();
    });
  });

  test("draws each region where it is from here, and says it to those who cannot see it", async () => {
    await to(async (page) => {
      const compass = page.getByRole("img", {
        name: /^Regions by distance from here: weur 0 km, enam 6,\d+ km, apac 9,\d+ km$/,
      });
      await compass.waitFor();
      const spots = await page.evaluate<[number, number][]>(
        "[...document.querySelectorAll('.spot')].map((spot) => [spot.cx.baseVal.value, spot.cy.baseVal.value])",
      );
      const [weur, enam, apac] = spots.sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
      expect(Math.hypot(...weur!)).toBe(0);
      expect([enam![0] < 0, apac![0] > 0]).toEqual([true, true]);
      expect(Math.hypot(...apac!) / Math.hypot(...enam!)).toBeCloseTo(9277 / 6208, 1);
    });
  });

  test("stops and goes on when told", async () => {
    await to(async (page) => {
      await page.getByRole("button", { name: "Pause requests" }).click();
      await page.waitForTimeout(500);
      const before = await page.locator("#counts").textContent();
      await page.waitForTimeout(800);
      expect(await page.locator("#counts").textContent()).toBe(before);
      await page.getByRole("textbox", { name: "Search sent" }).fill("comet");
      const sent = page.waitForRequest((request) => request.url().includes("q=comet"));
      await page.keyboard.press("Enter");
      await sent;
    });
  });

  test("of a deployment sends nothing before it is told to, and offers no faults", async () => {
    const asked: string[] = [];
    const act = async (page: Page) => {
      page.on("request", (request) => asked.push(new URL(request.url()).pathname));
      await expect.poll(() => headline(page), LATE).toBe("3 regions");
      await page.waitForTimeout(1500);
      expect(asked.filter((path) => path.endsWith("/search"))).toEqual([]);
      expect(await page.getByRole("button", { name: /^Cut off/ }).count()).toBe(0);
      expect(await page.getByRole("radio").count()).toBe(0);
      await page.getByRole("button", { name: "Send requests" }).click();
      await expect.poll(() => headline(page), LATE).toBe("Western Europe answers");
    };
    await visit(browser, new URL(deployed.url).origin, "/regions", act);
    expect(asked).not.toContain("/local/faults");
  });

  test("says that the server cannot be reached, and recovers", async () => {
    await to(async (page) => {
      await expect.poll(() => headline(page), LATE).toBe("Western Europe answers");
      await page.route("**/v1/regions", (route) => route.abort());
      await expect
        .poll(() => page.getByRole("alert").textContent(), LATE)
        .toBe("The server cannot be reached.");
      await page.unroute("**/v1/regions");
      await expect.poll(() => page.getByRole("alert").count(), LATE).toBe(0);
    });
  });

  test.each(["light", "dark"] as const)("can be read in the %s", async (colorScheme) => {
    const act = async (page: Page) => {
      await expect.poll(() => headline(page), LATE).toBe("Western Europe answers");
      await order({ region: "apac", cut: "refuse" });
      await expect.poll(() => row(page, "apac").locator(".condition").textContent(), LATE).toBe("Cut off");
      for (const selector of [
        "h1",
        "#lead",
        "#counts",
        "#facts",
        "#memory-text",
        ".sending label",
        ".answered",
        ".region-facts dt",
        ".region-facts dd",
        ".shards span:last-child",
        ".answering .condition",
        ".ready .condition",
        ".broken .condition",
        ".orders .on",
        ".modes span",
      ]) {
        await page.locator(selector).first().waitFor();
        expect(await contrast(page, selector), selector).toBeGreaterThanOrEqual(4.5);
      }
    };
    await to(act, { colorScheme });
  });

  test("fits a narrow screen without scrolling sideways", async () => {
    const act = async (page: Page) => {
      await expect.poll(() => headline(page), LATE).toBe("Western Europe answers");
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
    };
    await to(act, { viewport: { width: 320, height: 640 } });
  });

  test("does not move for those who asked for less motion", async () => {
    const act = async (page: Page) => {
      await page.getByText("From enam").click();
      await order({ region: "enam", cut: "refuse" });
      await page.locator(".way.active").waitFor({ state: "attached", timeout: 15_000 });
      expect(
        await page.evaluate(`getComputedStyle(document.querySelector(".way.active")).animationName`),
      ).toBe("none");
    };
    await to(act, { reducedMotion: "reduce" });
  });
});
