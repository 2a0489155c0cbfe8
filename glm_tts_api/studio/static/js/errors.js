// Errors in the person's words, with what to do.

import { has, t } from "./i18n.js";

/** The page's own words for the kinds of error that it knows; else what the server said, which is a sentence. */
export function sayError(error) {
  const own = `error.${error.code}`;
  return t(has(own) ? own : "error.other", { seconds: error.retryAfterS, message: error.message });
}
