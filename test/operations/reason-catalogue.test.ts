import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { FAILURE_REASONS } from "../../src/availability/mailbox-answer.js";
import { REASON_IDS, REASON_SECTIONS, reasonPage } from "../../src/operations/reason-catalogue.js";
import { reasonsMarkdown, reasonText } from "../../src/operations/reason-page.js";

const DOCUMENT = fileURLToPath(new URL("../../docs/reasons.md", import.meta.url));

describe("the catalogue of reasons", () => {
  it("has a page for every reason a mailbox can fail with", () => {
    for (const reason of FAILURE_REASONS) expect(reasonPage(reason)?.remedy, reason).toMatch(/\w{3}/);
  });

  // What is told is closed by types; these were told, or had pages, beside the types.
  it("has a page for what probes, routes, the console and Autodiscover tell, and none for what nobody is told", () => {
    const told = ["autodiscover-malformed", "autodiscover-unknown-operation", "autodiscover-must-understand"];
    told.push("bad-question", "no-free-busy-urls", "no-such-file", "cross-site", "broken-off");
    told.push("no-data", "less-than-expected", "unexpected");
    expect(told.filter((reason) => reasonPage(reason) === undefined)).toEqual([]);
    const untold = ["no-credentials", "ntlm-wrong-credentials", "FST_ERR_CTP_INVALID_CONTENT_LENGTH", "ECONNRESET"];
    expect(untold.filter((reason) => reasonPage(reason) !== undefined)).toEqual([]);
  });

  it("gives every page a cause, a way to confirm it, a remedy and somebody who acts, and no id twice", () => {
    expect(new Set(REASON_IDS).size).toBe([...REASON_SECTIONS.values()].reduce((sum, pages) => sum + pages.size, 0));
    for (const id of REASON_IDS) {
      const page = reasonPage(id);
      expect(page?.causes.length, id).toBeGreaterThan(0);
      for (const text of [page?.means, page?.confirm, page?.remedy, page?.who])
        expect(text?.length, id).toBeGreaterThan(3);
    }
    expect(reasonPage("no-such-reason")).toBeUndefined();
  });

  it("reads in a terminal with what it means first and what to do last", () => {
    const page = reasonPage("backend-timeout");
    const text = reasonText("backend-timeout", page as NonNullable<typeof page>);
    expect(text.startsWith("backend-timeout\n")).toBe(true);
    expect(text.indexOf("Causes")).toBeLessThan(text.indexOf("Remedy"));
    expect(text).toContain(`(${page?.who})`);
  });

  it("is the document docs/reasons.md, word for word (npm run reasons writes it)", () => {
    expect(readFileSync(DOCUMENT, "utf8")).toBe(reasonsMarkdown(REASON_SECTIONS));
  });
});
