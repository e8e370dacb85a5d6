/**
 * Builds dist/freebusy-lambda.zip: the gateway as one file, and beside it whatever files are
 * named, such as freebusy.yaml and an authority's certificate. The same input gives the same
 * bytes, so that a deployment shows whether anything has changed.
 *
 * The bundle holds no native code and no development package, and runs on every architecture.
 */

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Zippable, zipSync } from "fflate";

const ENTRY = fileURLToPath(new URL("../src/lambda.js", import.meta.url));
const ZIP = process.env.LAMBDA_ZIP ?? fileURLToPath(new URL("../freebusy-lambda.zip", import.meta.url));
/** The first day a zip can name, on whatever clock: zip times have no zone. */
const FIRST_DAY = new Date(1980, 0, 1);
const REGULAR_FILE_READABLE = 0o100644 << 16;
const MADE_ON_UNIX = 3;

const { outputFiles } = await build({
  entryPoints: [ENTRY],
  bundle: true,
  write: false,
  platform: "node",
  target: "node20",
  format: "esm",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  // Packages that are not ES modules ask for Node's own with require.
  banner: {
    js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
  },
});

const attributes = { mtime: FIRST_DAY, os: MADE_ON_UNIX, attrs: REGULAR_FILE_READABLE } as const;
const files: Zippable = { "lambda.mjs": [outputFiles[0]?.contents as Uint8Array, attributes] };
for (const file of process.argv.slice(2)) {
  const name = basename(file);
  if (name in files) throw new Error(`two files are called ${name}: all lie in one folder`);
  files[name] = [readFileSync(file), attributes];
}
const zip = zipSync(files, { level: 9 });
writeFileSync(ZIP, zip);
const digest = createHash("sha256").update(zip).digest("base64");
process.stdout.write(`${ZIP}: ${Object.keys(files).join(", ")}; ${zip.length} bytes, SHA-256 ${digest}\n`);
