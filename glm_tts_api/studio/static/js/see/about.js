// What the person who runs the server should know, and where to read more.

import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";

export function mountAbout(root, { store }) {
  const facts = h("p", { class: "hint" });
  const demonstration = h("div", { class: "notice calm" }, h("p"), h("pre", { class: "mono" }));
  const notices = h("ul", { class: "notices hint" });
  const docs = h("a", { href: "docs" });
  const metrics = h("a", { href: "metrics" });
  root.append(demonstration, notices, facts, h("p", { class: "links" }, docs, metrics));

  const show = () => {
    const { health } = store.get();
    docs.textContent = t("see.docs");
    metrics.textContent = t("see.metrics");
    demonstration.hidden = !health?.demonstration;
    demonstration.firstChild.textContent = t("see.demonstration");
    if (!health) return;
    demonstration.lastChild.textContent = health.commands?.join("\n");
    const { cause, warnings, dtype, version } = health;
    facts.textContent = [version && t("see.version", { version }), dtype].filter(Boolean).join(" · ");
    const sentences = [cause, ...warnings].filter(Boolean);
    notices.replaceChildren(...sentences.map((sentence) => h("li", {}, sentence)));
  };
  store.on("health", show);
  onLanguage(show);
}
