/**
 * Writes what an image holds into a folder: the gateway as one file, and the licences of what is in it. One file,
 * because looking for hundreds takes longer than reading them; not minified, so that a stack in a log can be read.
 * Native packages stay outside, beside the file: password hashes, and Kerberos where a site adds it.
 *
 * The same sources give the same bytes. Usage: node dist/packaging/bundle.js FOLDER
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { licenceTexts, productionPackages } from "./licences.js";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const ENTRY = fileURLToPath(new URL("../src/main.js", import.meta.url));

const folder = process.argv[2];
if (folder === undefined) throw new Error("Usage: node dist/packaging/bundle.js FOLDER");
mkdirSync(folder, { recursive: true });
const { outputFiles } = await build({
  absWorkingDir: PROJECT,
  entryPoints: [relative(PROJECT, ENTRY)],
  bundle: true,
  write: false,
  platform: "node",
  target: "node20",
  format: "esm",
  external: ["@node-rs/argon2", "kerberos"],
  legalComments: "none",
  // Packages that are not ES modules ask for Node's own with require.
  banner: {
    js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
  },
});
writeFileSync(join(folder, "freebusy.mjs"), outputFiles[0]?.contents as Uint8Array);
writeFileSync(join(folder, "licences.txt"), licenceTexts(productionPackages(PROJECT)));
