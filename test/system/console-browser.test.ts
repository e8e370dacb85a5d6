/** The console in a real browser: by keyboard alone, on a phone, in the dark, and without anything a page must not need. */

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROMIUM_MISSING, hasChromium, startBrowser } from "../../clients/console-browser.js";
import { PASSWORD, type Site, startSite } from "../support/gateway-process.js";

if (!hasChromium) process.stderr.write(CHROMIUM_MISSING);

const PATHS = ["/console", "/console/lookup", "/console/recent", "/console/reasons"];
const LONG = `${"a-rather-long-name-".repeat(3)}x@${"sub.".repeat(10)}corp.example`;

describe.skipIf(!hasChromium)("the console in Chromium", () => {
  let site: Site;
  let browser: Browser;
  beforeAll(async () => {
    site = await startSite((text) =>
      text.replace(
        "management: { port: MANAGEMENT_PORT }",
        "management: { port: MANAGEMENT_PORT, console: { username: admin, passwordHash: 'env:CALLER_HASH', maximumView: Detailed } }",
      ),
    );
    browser = await startBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  /** With everything the browser complains about. */
  async function open(look: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext({
      ...look,
      baseURL: site.gateway.management,
      httpCredentials: { username: "admin", password: PASSWORD },
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("requestfailed", (request) => {
      // What was still on its way when somebody moved on is no complaint.
      const { errorText = "" } = request.failure() ?? {};
      if (errorText !== "net::ERR_ABORTED") complaints.push(`${request.url()} ${errorText}`);
    });
    await page.goto("/console");
    return { page, complaints };
  }

  async function lookUp(page: Page, mailboxes: string, days = "1"): Promise<void> {
    await page.goto("/console/lookup");
    await page.getByLabel("Mailboxes").fill(mailboxes);
    await page.getByLabel("From").fill("2026-07-01");
    await page.getByLabel("Days").selectOption(days);
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByRole("heading", { name: "Who is free when" }).waitFor();
    // The heading is there before the style sheet is, and who measures then measures a page without one.
    await page.waitForLoadState();
  }

  it("is walked and used by keyboard alone, from the skip link to the answer, and shows where it is", async () => {
    const { page, complaints } = await open();
    const focused = () =>
      page.evaluate(
        "(() => { const e = document.activeElement; return { name: (e.labels?.[0]?.textContent ?? e.textContent).trim(), outline: getComputedStyle(e).outlineStyle }; })()",
      ) as Promise<{ name: string; outline: string }>;
    const tab = async () => {
      await page.keyboard.press("Tab");
      return focused();
    };
    expect(await tab()).toEqual({ name: "Skip to the content", outline: "solid" });
    expect(await page.locator(".skip").boundingBox()).toMatchObject({ y: expect.toSatisfy((y: number) => y >= 0) });
    const places = [await tab(), await tab()];
    expect(places).toEqual([
      { name: "Overview", outline: "solid" },
      { name: "Look up", outline: "solid" },
    ]);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/console/lookup");
    await tab();
    await page.keyboard.press("Enter");
    expect(await tab()).toEqual({ name: "Mailboxes", outline: "solid" });
    await page.keyboard.type("bob@corp.example\nnobody@corp.example");
    const names: string[] = [];
    // A date field has parts, each a stop of its own.
    for (let i = 0; i < 12 && names.at(-1) !== "Look up"; i++) {
      const { name, outline } = await tab();
      expect([name, outline]).toEqual([name, "solid"]);
      names.push(name);
    }
    expect([...new Set(names)]).toEqual([
      "From",
      "Days",
      "Asked as",
      "Time zone",
      "Ask anew, past the cache",
      "Look up",
    ]);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Who is free when" }).waitFor();
    // Today, whatever day of the week it is: Bob may have nothing in it, and what everybody has is not known then, either.
    const [bob, nobody] = ["bob@", "nobody@"].map((name) => page.getByRole("row", { name: new RegExp(`^${name}`) }));
    expect(await nobody?.getByRole("img", { name: "not known all day" }).count()).toBe(1);
    expect(await bob?.getByRole("img", { name: /not known/ }).count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("has no part of any page beyond a phone's screen, nor anything too small to touch", async () => {
    const { page, complaints } = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    const widths = () =>
      page.evaluate("[document.documentElement.scrollWidth, innerWidth]") as Promise<[number, number]>;
    for (const path of PATHS) {
      await page.goto(path);
      expect([path, await widths()]).toEqual([path, [390, 390]]);
    }
    await lookUp(page, `alice@corp.example\nbob@corp.example\n${LONG}\n${"x".repeat(300)}`, "2");
    expect(await widths()).toEqual([390, 390]);
    for (const control of await page.locator("button, select, textarea, input:not([type=checkbox])").all()) {
      expect((await control.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
    await page.goto("/console/recent");
    expect(await widths()).toEqual([390, 390]);
    expect(complaints).toEqual([]);
  });

  it("is dark where that is preferred, and light elsewhere", async () => {
    const ground = async (colorScheme: "dark" | "light") => {
      const { page } = await open({ colorScheme });
      const [red = 0] =
        ((await page.evaluate("getComputedStyle(document.body).backgroundColor")) as string)
          .match(/\d+/g)
          ?.map(Number) ?? [];
      return red;
    };
    expect(await ground("dark")).toBeLessThan(40);
    expect(await ground("light")).toBeGreaterThan(220);
  });

  it("names everything, in order, for whoever cannot see it", async () => {
    const { page } = await open({ viewport: { width: 390, height: 844 } });
    await lookUp(page, "alice@corp.example\nnobody@corp.example");
    for (const path of [undefined, ...PATHS]) {
      if (path !== undefined) await page.goto(path);
      const found = (await page.evaluate(`(() => {
        const all = (css) => [...document.querySelectorAll(css)];
        const ids = all("[id]").map((e) => e.id);
        const levels = all("h1, h2, h3").map((e) => Number(e.tagName[1]));
        return {
          language: document.documentElement.lang,
          mains: all("main").length, navs: all("nav[aria-label]").length, headings: all("h1").length,
          skipped: levels.filter((level, i) => i > 0 && level > levels[i - 1] + 1),
          twice: ids.filter((id, i) => ids.indexOf(id) !== i),
          unlabelled: all("input, select, textarea").filter((e) => e.labels.length === 0).map((e) => e.outerHTML),
          nameless: all("a, button").filter((e) => e.textContent.trim() === "").map((e) => e.outerHTML),
          unheaded: all("table").filter((t) => !t.querySelector("caption") || !t.querySelector("th[scope=col]") || (t.tBodies[0].rows.length > 0 && !t.querySelector("th[scope=row]"))).length,
          drawings: all("svg:not([aria-hidden] svg):not([aria-hidden])").filter((e) => !e.closest("[role=img][aria-label]") ).length,
          pointing: all("[aria-describedby], [aria-labelledby]").flatMap((e) => [e.getAttribute("aria-describedby"), e.getAttribute("aria-labelledby")]).filter(Boolean).flatMap((s) => s.split(" ")).filter((id) => !document.getElementById(id)),
          jumps: all("a[href^='#']").map((e) => e.getAttribute("href").slice(1)).filter((id) => !document.getElementById(id)),
        };
      })()`)) as object;
      expect([path, found]).toEqual([
        path,
        {
          language: "en",
          mains: 1,
          navs: 1,
          headings: 1,
          skipped: [],
          twice: [],
          unlabelled: [],
          nameless: [],
          unheaded: 0,
          drawings: 0,
          pointing: [],
          jumps: [],
        },
      ]);
    }
    await lookUp(page, "alice@corp.example");
    // Still a table to a screen reader, although its rows are blocks here.
    expect(
      await page
        .getByRole("table", { name: "One row a mailbox" })
        .getByRole("rowheader", { name: "alice@corp.example" })
        .count(),
    ).toBe(1);
  });

  it("draws an hour as wide as an hour, and hatches what is not known from edge to edge", async () => {
    const { page } = await open({ viewport: { width: 1180, height: 900 } });
    await lookUp(page, "bob@corp.example\nnobody@corp.example");
    const box = async (css: string) => (await page.locator(css).first().boundingBox()) as { x: number; width: number };
    const strip = await box(".strip");
    const busy = await box(".strip .stretch.busy rect");
    expect(busy.width / strip.width).toBeCloseTo(1 / 24, 2);
    // From nine by the clock of the zone that was asked for, which is UTC; bob's nine is Berlin's.
    expect((busy.x - strip.x) / strip.width).toBeCloseTo(7 / 24, 2);
    const unknown = await box(".strip .stretch.unknown rect");
    expect(unknown.width / strip.width).toBeCloseTo(1, 2);
  });

  it("runs no script and fetches nothing from elsewhere, whatever stands in a calendar", async () => {
    const hostile = `<script>document.title = "owned"</script><img src="https://evil.example/x" onerror="document.title = 'owned'">`;
    site.workmail.calendar.set("mallory@corp.example", {
      timeZone: "UTC",
      events: [{ start: "2026-07-01T00:00:00", end: "2026-07-01T12:00:00", busy: "Busy", subject: hostile }],
    });
    const { page, complaints } = await open();
    const fetched: string[] = [];
    page.on("request", (request) => fetched.push(request.url()));
    await lookUp(page, "mallory@corp.awsapps.com");
    expect(await page.locator(".stretch.busy text").textContent()).toBe(hostile);
    expect(await page.title()).toBe("Look up – free/busy gateway");
    expect(fetched.filter((url) => !url.startsWith(site.gateway.management))).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
