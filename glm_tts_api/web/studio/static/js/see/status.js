// The line at the top: whether the server can speak, with which model, on what.

import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";

export function mountStatus(root, { store }) {
  const show = () => {
    const { health } = store.get();
    const status = health?.status ?? "asking";
    const parts = [t(`see.status.${status}`), health?.model, health?.device].filter(Boolean);
    root.replaceChildren(h("p", { class: "status ellipsis", "data-status": status }, parts.join(" · ")));
  };
  store.on("health", show);
  onLanguage(show);
}
