import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { REASON_IDS } from "../../src/operations/reason-catalogue.js";
import { PROJECT, type Site, startSite } from "../support/gateway-process.js";

const FOLDER = join(PROJECT, "helm/freebusy-gateway/monitoring");
const ALERTS = join(FOLDER, "alerts.yaml");
const promtool = spawnSync("promtool", ["--version"]).status === 0;
if (!promtool) console.warn("SKIPPED: promtool is missing (Debian: prometheus), so alert rules are not checked by it");

interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}
interface Dashboard {
  readonly panels: readonly { readonly id: number; readonly targets?: readonly { readonly expr: string }[] }[];
}
const rules = (parse(readFileSync(ALERTS, "utf8")) as Alerts).groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(readFileSync(join(FOLDER, "dashboard.json"), "utf8")) as Dashboard;
const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const expressions = [...rules.map(({ expr }) => expr), ...shown];

/** Names of metrics, label names aside: what is followed by "=" or stands in by (…) is none of these. */
const metricsIn = (expr: string) => expr.match(/\b(freebusy|nodejs|process)_[a-z0-9_]+/g) ?? [];

let site: Site;
let text: string;
beforeAll(async () => {
  // With everything that has metrics; nobody listens where its shared cache should be, which is one of them.
  site = await startSite(
    (text) =>
      `${text}cache: { shared: { urls: ['redis://127.0.0.1:1'], encryptionKey: 'env:SHARED_KEY' } }\nprobes: [{ name: canary, mailbox: alice@corp.example, as: workmail }]\n`,
    { SHARED_KEY: "monitoring-shared-key-of-32-characters" },
  );
  await site.ask(["alice@corp.example"]);
  text = await (await fetch(`${site.gateway.management}/metrics`)).text();
});
afterAll(() => site.close());

describe("the dashboard and the alerts", () => {
  it("name no metric that the running gateway does not have, and every expression names one", () => {
    const known = new Set<string>();
    for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      if (type === "histogram") for (const suffix of ["_bucket", "_count", "_sum"]) known.add(`${name}${suffix}`);
      else known.add(name as string);
    }
    for (const expr of expressions) {
      expect(metricsIn(expr).length, expr).toBeGreaterThan(0);
      for (const name of metricsIn(expr)) expect(known, expr).toContain(name);
    }
    expect(known.has("freebusy_no_such_total")).toBe(false);
  });

  it("show every metric of the gateway's own", () => {
    const used = new Set(expressions.flatMap(metricsIn));
    for (const [, name, type] of text.matchAll(/^# TYPE (freebusy_\S+) (\S+)$/gm)) {
      const some = type === "histogram" ? [`${name}_bucket`, `${name}_count`] : [name as string];
      expect(
        some.some((one) => used.has(one)),
        name,
      ).toBe(true);
    }
  });

  it("name no reason without a page", () => {
    for (const expr of expressions) {
      for (const [, selected = ""] of expr.matchAll(/(?:reason|result)(?:=~|!~|=|!=)"([^"]+)"/g)) {
        const others = new Set(["read", "failed", "arrived", "dropped"]);
        for (const reason of selected.split("|"))
          expect(others.has(reason) || REASON_IDS.includes(reason), reason).toBe(true);
      }
    }
  });

  it("have no panel and no alert twice", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

describe.skipIf(!promtool)("promtool", () => {
  it("takes the rules, and every expression of the dashboard", () => {
    const folder = mkdtempSync(join(tmpdir(), "rules-"));
    const file = join(folder, "dashboard-rules.yaml");
    const recorded = shown.map(
      (expr, i) => `    - { record: 'panel_${i}', expr: ${JSON.stringify(expr.replaceAll("$__rate_interval", "5m"))} }`,
    );
    writeFileSync(file, `groups:\n- name: dashboard\n  rules:\n${recorded.join("\n")}\n`);
    expect(execFileSync("promtool", ["check", "rules", ALERTS, file], { encoding: "utf8" })).toContain(
      `${rules.length} rules found`,
    );
  });

  it("finds that they fire when they should, and not when they should not", () => {
    const folder = mkdtempSync(join(tmpdir(), "rules-"));
    const file = join(folder, "alerts.test.yaml");
    writeFileSync(
      file,
      readFileSync(join(PROJECT, "test/monitoring/alerts.test.yaml"), "utf8").replace("RULES", ALERTS),
    );
    const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", file], { encoding: "utf8" });
    expect([status, `${stdout}${stderr}`]).toEqual([0, expect.stringContaining("SUCCESS")]);
  });

  it("finds nothing wrong with what the gateway gives out", () => {
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
    // Node's own metrics have names of their own making.
    const own = `${stdout}${stderr}`.split("\n").filter((line) => line.startsWith("freebusy_"));
    expect([status === null, own]).toEqual([false, []]);
  });
});
