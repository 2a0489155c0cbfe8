// Errors in the person's words, with what to do.

import { has, t } from "./i18n.js";

/** The page's own words for the kinds of error that it knows; else what the server said, which is a sentence. */
export function sayError(error) {
  const key = `error.${error.code}`;
  return has(key) ? t(key, { seconds: error.retryAfterS }) : t("error.other", { message: error.message });
}
