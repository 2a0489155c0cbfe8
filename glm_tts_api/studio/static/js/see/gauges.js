// Both lanes: how many of their places are taken, and how many requests wait for one.

import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { figureRow } from "./bar.js";

const LANES = ["short_text", "long_text"];

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
  if (!lane) return figureRow(t(`see.lane.${name}`), t("see.unknown"), 0);
  const { active, limit, waiting } = lane;
  const figure = t(waiting ? "see.takenAndWaiting" : "see.taken", { active, limit, waiting });
  return figureRow(t(`see.lane.${name}`), figure, limit ? active / limit : 0);
}
