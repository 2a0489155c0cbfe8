// What the person who runs the server should know, and where to read more.

import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";

export function mountAbout(root, { store }) {
  const facts = h("p", { class: "hint" });
  const notices = h("ul", { class: "notices hint" });
  const docs = h("a", { href: "docs" });
  const metrics = h("a", { href: "metrics" });
  root.append(notices, facts, h("p", { class: "links" }, docs, metrics));

  const show = () => {
    const { health } = store.get();
    docs.textContent = t("see.docs");
    metrics.textContent = t("see.metrics");
    if (!health) return;
    const { cause, demonstration, warnings, dtype, version } = health;
    facts.textContent = [version && t("see.version", { version }), dtype].filter(Boolean).join(" · ");
    const sentences = [cause, demonstration && t("see.demonstration"), ...warnings].filter(Boolean);
    notices.replaceChildren(...sentences.map((sentence) => h("li", {}, sentence)));
  };
  store.on("health", show);
  onLanguage(show);
}
