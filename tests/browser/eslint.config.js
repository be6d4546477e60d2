// Run in the project's root: for these tests, and for the pages that they test.
import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** What the pages use of the browser's globals. */
const browser = [
  "CSS",
  "EventSource",
  "ResizeObserver",
  "URL",
  "clearTimeout",
  "document",
  "fetch",
  "location",
  "matchMedia",
  "requestAnimationFrame",
  "sessionStorage",
  "setInterval",
  "setTimeout",
  "window",
];

export default defineConfig(
  {
    files: ["src/sandbox/pages/*.js"],
    extends: [js.configs.recommended],
    languageOptions: { globals: Object.fromEntries(browser.map((name) => [name, "readonly"])) },
  },
  {
    files: ["tests/browser/**/*.js"],
    extends: [js.configs.recommended, tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      // The compiler knows the globals.
      "no-undef": "off",
      // What a service says in JSON is looked at as it is.
      "@typescript-eslint/no-explicit-any": "off",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: ["test", "after", "before"] }] },
      ],
    },
  },
);
