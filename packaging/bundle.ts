/**
 * Writes what an image holds into a folder: the gateway as one file, the doctor's independent client as another, because
 * it runs in a process of its own, and the licences of what is in them. One file each, because looking for hundreds
 * takes longer than reading them; not minified, so that a stack in a log can be read. Native packages stay outside,
 * beside the files: password hashes, and Kerberos where a site adds it.
 *
 * The same sources give the same bytes. Usage: node dist/packaging/bundle.js FOLDER
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { licenceTexts, productionPackages } from "./licences.js";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const folder = process.argv[2];
if (folder === undefined) throw new Error("Usage: node dist/packaging/bundle.js FOLDER");
mkdirSync(folder, { recursive: true });

/** Native packages, and one that is asked for only where cookies cannot be read at once. */
const OUTSIDE = ["@node-rs/argon2", "kerberos", "deasync"];

/** Everything that a compiled file of this project needs, in one. */
async function writeOneFile(compiled: string, written: string, form: BuildOptions): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: PROJECT,
    entryPoints: [relative(PROJECT, fileURLToPath(new URL(`../src/${compiled}`, import.meta.url)))],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    external: OUTSIDE,
    legalComments: "none",
    ...form,
  });
  writeFileSync(join(folder as string, written), outputFiles?.[0]?.contents as Uint8Array);
}

await writeOneFile("main.js", "freebusy.mjs", {
  format: "esm",
  // Packages that are not ES modules ask for Node's own with require.
  banner: {
    js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
  },
});
// Found by its name, beside the file that asks for it; no package.json there calls it an ES module.
await writeOneFile("diagnosis/independent-client-process.js", "independent-client-process.js", { format: "cjs" });
writeFileSync(join(folder, "licences.txt"), licenceTexts(productionPackages(PROJECT)));
