/** Published schemas and captured messages that lie beside the project on some machines. Tests that need them are skipped elsewhere. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseStringPromise } from "xml2js";

const shared = fileURLToPath(new URL("../../../shared/", import.meta.url));
const schema = join(shared, "schemas/validate/messages.xsd");

export const hasSamples = existsSync(join(shared, "samples/ews"));
export const canValidate = existsSync(schema) && hasXmllint();

function hasXmllint(): boolean {
  try {
    execFileSync("xmllint", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export function samples(prefix: RegExp): [name: string, text: string][] {
  if (!hasSamples) return [];
  const folder = join(shared, "samples/ews");
  return readdirSync(folder)
    .filter((name) => prefix.test(name))
    .map((name) => [name, readFileSync(join(folder, name), "utf8")]);
}

/** Events and answers of WorkMail's availability providers; undefined where there are none. */
export function workMailSample(name: string): unknown {
  const file = join(shared, "samples/workmail", name);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

const found = canValidate ? mkdtempSync(join(tmpdir(), "ews-answers-")) : "";
let count = 0;

/** Throws xmllint's complaints about the body's first element. Does nothing where there is no schema. */
export function validate(envelope: string): void {
  if (!canValidate) return;
  const body = /<(\w+):Body[^>]*>([\s\S]*)<\/\1:Body>/.exec(envelope)?.[2] ?? "";
  if (/^<\w+:Fault/.test(body)) return;
  const scoped = body.replace(
    /^<([\w:]+)/,
    `<$1 ${/<s:Envelope[^>]*?(xmlns:t="[^"]+" xmlns:m="[^"]+")/.exec(envelope)?.[1] ?? ""}`,
  );
  const file = join(found, `${++count}.xml`);
  writeFileSync(file, scoped);
  execFileSync("xmllint", ["--noout", "--schema", schema, file], { stdio: "pipe" });
}

/** An independent reading of an answer: xml2js, prefixes dropped. */
export async function read(envelope: string) {
  const root = await parseStringPromise(envelope, {
    explicitArray: false,
    tagNameProcessors: [(name) => name.replace(/^.*:/, "")],
  });
  return root.Envelope.Body;
}
