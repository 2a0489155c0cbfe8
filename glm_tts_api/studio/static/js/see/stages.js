// Where the time of the last request went, stage by stage; of one that was not completed, why.

import { h } from "../dom.js";
import { sayError } from "../errors.js";
import { onLanguage, t } from "../i18n.js";
import { figureRow } from "./bar.js";

const LEAST_S = 0.005; // less is shown as 0.00

export function mountStages(root, { store }) {
  const title = h("h3");
  const summary = h("p", { class: "hint" });
  const list = h("ul", { class: "figures" });
  root.append(title, summary, list);

  const show = () => {
    const { stats, speaking } = store.get();
    const request = stats && lastRequest(stats.recent, speaking.utterance?.id);
    title.textContent = t("see.last");
    summary.textContent = stats ? summaryOf(request) : t("see.unknown");
    const took = request && Object.values(request.stages).some((seconds) => seconds >= LEAST_S);
    list.replaceChildren(...(took ? shares(request.stages).map(stageRow) : []));
  };
  store.on("stats", show);
  onLanguage(show);
}

/** Of the requests that ended, oldest first: ours if it is among them, else the latest. One that was refused and asked
 * for again is there twice. */
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
  return figureRow(t(`see.stage.${stage}`), t("see.seconds", { n: seconds.toFixed(2) }), share);
}
