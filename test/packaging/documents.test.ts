/** Documents made from something else are what that makes today, and what is given away may be. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configurationReference } from "../../packaging/configuration-reference.js";
import { licencesMarkdown, productionPackages, unknownLicences } from "../../packaging/licences.js";
import { configurationJsonSchema } from "../../src/config/configuration.js";
import { PROJECT } from "../support/gateway-process.js";

const text = (file: string) => readFileSync(join(PROJECT, file), "utf8");

describe("the configuration reference", () => {
  it("is what npm run reference makes of the schema", () => {
    expect(text("docs/configuration.md")).toBe(configurationReference(configurationJsonSchema()));
  });

  it("names every setting of the schema, wherever it stands", () => {
    const names = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        if (key === "properties") for (const name of Object.keys(inner)) names.add(name);
        collect(inner);
      }
    };
    collect(configurationJsonSchema());
    names.delete("$schema");
    const reference = text("docs/configuration.md");
    expect([...names].filter((name) => !new RegExp(`[\`.]${name}[\`.[]`).test(reference))).toEqual([]);
    expect(names.size).toBeGreaterThan(50);
  });

  it("tells settings that have to be given from others, and the kinds of a list apart", () => {
    const reference = configurationReference({
      properties: {
        things: {
          type: "array",
          items: {
            oneOf: [
              { properties: { type: { const: "a" }, url: { type: "string" } }, required: ["type", "url"] },
              { properties: { type: { const: "b" }, seconds: { type: "number", minimum: 1, maximum: 9, default: 3 } } },
            ],
          },
        },
      },
    });
    expect(reference).toContain("| **`things[].url`** (type: a) | text |  |  |");
    expect(reference).not.toContain("**`things[].seconds`");
    expect(reference).toContain("| `things[].seconds` (type: b) | number 1–9 | `3` |  |");
  });

  it("demands no setting of a variant that nothing tells from the others", () => {
    const either = (name: string) => ({ properties: { [name]: { type: "string" } }, required: [name] });
    const of = (setting: object) => configurationReference({ properties: { shown: setting } });
    expect(of({ type: "array", items: { anyOf: [either("one"), either("other")] } })).not.toMatch(/\*\*`shown\[\]/);
    expect(of({ anyOf: [{ const: "stdout" }, either("file")] })).not.toContain("**`shown.file`**");
    expect(of({ type: "array", items: either("one") })).toContain("**`shown[].one`**");
  });
});

describe("licences", () => {
  const packages = productionPackages(PROJECT);

  it("are listed for what the lock file holds today", () => {
    expect(text("docs/licences.md")).toBe(licencesMarkdown(packages));
  });

  it("are all known ones", () => {
    expect(unknownLicences(packages)).toEqual([]);
    expect(packages.map(({ name }) => name)).toEqual(expect.arrayContaining(["fastify", "undici", "zod"]));
    expect(packages.map(({ name }) => name)).not.toContain("vitest");
  });

  it("that nobody has read are refused by name", () => {
    const added = { name: "leftpad", version: "1.0.0", licence: "AGPL-3.0-only", folder: "" };
    expect(unknownLicences([...packages, added])).toEqual([expect.stringContaining("leftpad 1.0.0: AGPL-3.0-only")]);
  });
});
