// What the server is and does, asked for while somebody looks: this part keeps the store's `health` and `stats`.

import { byId, h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { poll } from "../poll.js";
import { GOING } from "../store.js";
import { mountGauges, mountStages } from "./figures.js";
import { mountKey } from "./key.js";

const BUSY_MS = 1000;
const IDLE_MS = 5000;
const LOST_MS = 10_000;
const UNREACHABLE = { status: "unreachable", warnings: [] };

export function mountSee({ store, api }) {
  mountStatus(byId("status"), { store });
  mountGauges(byId("gauges"), { store });
  mountStages(byId("stages"), { store });
  mountAbout(byId("about"), { store });
  const askNow = poll(() => look(store, api));
  mountKey(byId("key"), { store, api, onChange: askNow });
  store.on("speaking", ({ utterance, state }) => {
    if (utterance && !GOING.includes(state)) askNow();
  });
}

/** Returns after how many milliseconds to look again. */
async function look(store, api) {
  try {
    const health = await api.health();
    store.set({ health });
    const stats = await api.stats();
    store.set({ stats, needsKey: false });
    return health.model_loaded && !isBusy(stats) ? IDLE_MS : BUSY_MS;
  } catch (error) {
    if (error.status === 0) store.set({ health: UNREACHABLE });
    store.set({ stats: null }); // what it was is not what it is
    return LOST_MS;
  }
}

function isBusy({ stats }) {
  return Object.values(stats).some((lane) => lane.active || lane.waiting);
}

/**
 * At the top: whether the server can speak, with which model, on what; a demonstration model is named, with the way
 * to the real one.
 */
function mountStatus(root, { store }) {
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

/** What the person who runs the server should know, and where to read more. */
function mountAbout(root, { store }) {
  const facts = h("p", { class: "hint" });
  const demonstration = h("div", { class: "notice calm" }, h("p"), h("pre", { class: "mono" }));
  const notices = h("ul", { class: "notices hint" });
  const docs = h("a", { href: "docs" });
  const metrics = h("a", { href: "metrics" });
  root.append(demonstration, notices, facts, h("p", { class: "links" }, docs, metrics));

  const show = () => {
    const { health } = store.get();
    docs.textContent = t("page.docs");
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
