// Where the time of the last request went, stage by stage.

import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { figureRow } from "./bar.js";

export function mountStages(root, { store }) {
  const title = h("h3");
  const summary = h("p", { class: "hint" });
  const list = h("ul", { class: "figures" });
  root.append(title, summary, list);

  const show = () => {
    const { stats, take } = store.get();
    const request = lastRequest(stats?.recent ?? [], take?.requestId);
    title.textContent = t("see.last");
    summary.textContent = request ? t("see.lastSummary", summaryOf(request)) : t("see.nothingYet");
    list.replaceChildren(...(request ? shares(request.stages).map(stageRow) : []));
  };
  store.on("stats", show);
  onLanguage(show);
}

/** Of the requests that ended, oldest first: ours if it is among them, else the latest. */
export function lastRequest(recent, requestId) {
  return recent.find((request) => request.request_id === requestId) ?? recent.at(-1);
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

function summaryOf({ audio_seconds: sound, age_seconds: taken }) {
  return { sound: sound.toFixed(1), taken: taken.toFixed(1) };
}

function stageRow({ stage, seconds, share }) {
  return figureRow(t(`see.stage.${stage}`), t("see.seconds", { n: seconds.toFixed(2) }), share);
}
