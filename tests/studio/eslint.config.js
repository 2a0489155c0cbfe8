// Called from the top folder: eslint --config tests/studio/eslint.config.js ...

import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  eqeqeq: "error",
  "no-implicit-coercion": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
  "prefer-template": "error",
  "max-lines": ["error", 300],
};

export default [
  { ignores: ["**/vendor/**", "**/node_modules/**"] },
  { files: ["glm_tts_api/**/*.js"], rules, languageOptions: { globals: globals.browser } },
  {
    files: ["tests/studio/**/*.js"],
    rules,
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
];
