// What the server does, in figures with a bar beside each.

import { h } from "../dom.js";
import { onLanguage, sayError, t } from "../i18n.js";

const LANES = ["short_text", "long_text"];
const LEAST_S = 0.005; // less is shown as 0.00

/** Both lanes: how many of their places are taken, and how many requests wait for one. */
export function mountGauges(root, { store }) {
  const list = h("ul", { class: "figures" });
  root.append(list);
  const show = () => {
    const { stats } = store.get();
    list.replaceChildren(...LANES.map((name) => gauge(name, stats?.stats[name])));
  };
  store.on("stats", show);
  onLanguage(show);
}

function gauge(name, lane) {
  if (!lane) return figureRow(t(`see.lane.${name}`), t("see.status.asking"), 0);
  const { active, limit, waiting } = lane;
  const figure = t(waiting ? "see.takenAndWaiting" : "see.taken", { active, limit, waiting });
  return figureRow(t(`see.lane.${name}`), figure, limit ? active / limit : 0);
}

/** Where the time of the last request went, stage by stage; of one that was not completed, why. */
export function mountStages(root, { store }) {
  const title = h("h3");
  const summary = h("p", { class: "hint" });
  const list = h("ul", { class: "figures" });
  root.append(title, summary, list);

  const show = () => {
    const { stats, speaking } = store.get();
    const request = stats && lastRequest(stats.recent, speaking.utterance?.id);
    title.textContent = t("see.last");
    summary.textContent = stats ? summaryOf(request) : t("see.status.asking");
    const took = request && Object.values(request.stages).some((seconds) => seconds >= LEAST_S);
    list.replaceChildren(...(took ? shares(request.stages).map(stageRow) : []));
  };
  store.on("stats", show);
  onLanguage(show);
}

/**
 * Of the requests that ended, oldest first: ours if it is among them, else the latest. One that was refused and asked
 * for again is there twice.
 */
export function lastRequest(recent, requestId) {
  return recent.findLast((request) => request.request_id === requestId) ?? recent.at(-1);
}

/** The stages in their order, each with its share of the longest. */
export function shares(stages) {
  const longest = Math.max(...Object.values(stages));
  return Object.entries(stages).map(([stage, seconds]) => ({
    stage,
    seconds,
    share: longest ? seconds / longest : 0,
  }));
}

function summaryOf(request) {
  if (!request) return t("see.nothingYet");
  const { outcome, audio_seconds: sound, age_seconds } = request;
  const taken = age_seconds.toFixed(1);
  if (outcome === "completed") return t("see.lastSummary", { sound: sound.toFixed(1), taken });
  return t("see.lastFailed", { taken, why: sayError({ code: outcome, message: outcome }) });
}

function stageRow({ stage, seconds, share }) {
  return figureRow(t(`see.stage.${stage}`), t("time.seconds", { n: seconds.toFixed(2) }), share);
}

/** The figure says it all, so the bar, filled to its `share` (0 to 1), is for the eye alone. */
function figureRow(label, figure, share) {
  const filled = h("div", { style: { width: `${100 * share}%` } });
  return h(
    "li",
    { class: "figure-row" },
    h("span", {}, label),
    h("span", { class: "figure" }, figure),
    h("div", { class: "bar", "aria-hidden": "true" }, filled),
  );
}
