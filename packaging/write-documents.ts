/** Writes the documents that are made from something else. Usage: write-documents.js configuration | licences */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configurationJsonSchema } from "../src/config/configuration.js";
import { configurationReference } from "./configuration-reference.js";
import { licencesMarkdown, productionPackages } from "./licences.js";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const DOCUMENTS: Record<string, [file: string, text: () => string]> = {
  configuration: ["docs/configuration.md", () => configurationReference(configurationJsonSchema())],
  licences: ["docs/licences.md", () => licencesMarkdown(productionPackages(PROJECT))],
};
for (const name of process.argv.slice(2)) {
  const [file, text] = DOCUMENTS[name] ?? [];
  if (file === undefined || text === undefined) throw new Error(`there is no document ${name}`);
  writeFileSync(`${PROJECT}${file}`, text());
}
