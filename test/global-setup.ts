/** Compiles once, so that the system tests run what is shipped. */

import { execFileSync } from "node:child_process";

export default function build(): void {
  execFileSync("npx", ["tsc", "-p", "tsconfig.json"], { stdio: "inherit" });
}
