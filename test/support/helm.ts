/** A real helm, where there is one: $HELM, or on the path. Tests that need it are skipped elsewhere, and say so. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { PROJECT } from "./gateway-process.js";

const HELM = process.env.HELM ?? "helm";
export const hasHelm = spawnSync(HELM, ["version"]).status === 0;
if (!hasHelm) process.stderr.write("SKIPPED: the chart's tests, there is no helm (helm/get-helm.sh)\n");

/** `problem`: what helm said when it refused. */
export function rendered(values: object): { readonly text: string; readonly problem: string } {
  const file = join(mkdtempSync(join(tmpdir(), "values-")), "values.yaml");
  writeFileSync(file, stringify(values));
  const chart = join(PROJECT, "helm/freebusy-gateway");
  const run = spawnSync(HELM, ["template", "site", chart, "--namespace", "mail", "-f", file], { encoding: "utf8" });
  return { text: run.stdout, problem: run.status === 0 ? "" : run.stderr };
}
