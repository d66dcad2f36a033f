import { defineConfig } from "vitest/config";

/** What starts containers and looks at what the machine does: one test after the other. */
const alone = { fileParallelism: false, testTimeout: 90_000, hookTimeout: 90_000 };

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.ts"] } },
      { test: { name: "browser", include: ["tests/**/*.test.ts"], ...alone } },
      { test: { name: "screenshots", include: ["tests/screenshots.ts"], ...alone } },
    ],
  },
});
