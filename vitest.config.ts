import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/global-setup.ts",
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // System tests start processes of their own; a few at a time keep a small machine honest.
    maxWorkers: 2,
  },
});
