/**
 * Decides which packages are given to users, under which licences, and which licences may be among them. Reads the
 * lock file and the installed packages, asks no registry.
 *
 * Must not know what is done with the list.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface GivenPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, or what stands in its place. */
  readonly licence: string;
  /** Where it is installed; a package for another platform is not. */
  readonly folder: string;
}

/** What may be given away inside a product that is not open itself. */
export const KNOWN_LICENCES: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
]);

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

/** By name, then version; without development packages. `project` ends with a slash or not. */
export function productionPackages(project: string): GivenPackage[] {
  const lock = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8")) as {
    packages: Record<string, LockedPackage>;
  };
  const given = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== "" && !dev)
    .map(([path, { version, license }]): GivenPackage => {
      const folder = join(project, path);
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      return { name, version, licence: license ?? installedLicence(folder), folder };
    });
  const once = new Map(given.map((one) => [`${one.name} ${one.version}`, one]));
  return [...once.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** A licence nobody has looked at, per package, in words; empty when there is none. */
export function unknownLicences(packages: readonly GivenPackage[]): string[] {
  return packages
    .filter(({ licence }) => !KNOWN_LICENCES.has(licence))
    .map(
      ({ name, version, licence }) =>
        `${name} ${version}: ${licence}. Read it, then add it to KNOWN_LICENCES or do without.`,
    );
}

export function licencesMarkdown(packages: readonly GivenPackage[]): string {
  const rows = packages.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  return `# Licences of the packages the gateway ships with

Written by \`npm run licences\` from the lock file; a test refuses licences that are not known. The image holds their texts
(\`/app/licences.txt\`). Packages for one platform only are listed for all of them.

| Package | Version | Licence |
| --- | --- | --- |
${rows.join("\n")}
`;
}

/** The licence files of all installed packages, one after another. */
export function licenceTexts(packages: readonly GivenPackage[]): string {
  return packages
    .filter(({ folder }) => existsSync(folder))
    .map(({ name, version, licence, folder }) => {
      const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
      const texts = files.sort().map((file) => readFileSync(join(folder, file), "utf8").trim());
      return `${name} ${version} (${licence})\n\n${texts.join("\n\n")}\n`;
    })
    .join(`\n${"=".repeat(80)}\n\n`);
}

function installedLicence(folder: string): string {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return "not stated";
  const { license } = JSON.parse(readFileSync(file, "utf8")) as { license?: string };
  return license ?? "not stated";
}
