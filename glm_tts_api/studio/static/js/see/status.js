// At the top: whether the server can speak, with which model, on what; a demonstration model is named, with the way
// to the real one.

import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";

export function mountStatus(root, { store }) {
  const line = h("p", { class: "status" });
  const demonstration = h("a", { href: "#about", hidden: true });
  root.append(line, demonstration);
  const show = () => {
    const { health } = store.get();
    const status = health?.status ?? "asking";
    const model = health?.demonstration ? null : health?.model;
    line.dataset.status = status;
    line.textContent = [t(`see.status.${status}`), model, health?.device].filter(Boolean).join(" · ");
    demonstration.hidden = !health?.demonstration;
    demonstration.textContent = t("see.isDemonstration");
  };
  store.on("health", show);
  onLanguage(show);
}
