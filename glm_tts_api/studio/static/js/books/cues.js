// How the speech of each subtitle fits, folded, and each speaker's voice alone to save.

import { clockTime, h } from "../dom.js";
import { getLanguage, t } from "../i18n.js";
import { chip } from "../takes/more.js";

export function createCues({ cuesOf, download }) {
  const summary = h("summary");
  const body = h("div");
  const on = { toggle: () => shown && show(shown) };
  const element = h("details", { class: "book-chapters", on }, summary, body);
  let shown = null;
  let drawn = ""; // what `body` is of

  function voice(speaker) {
    const name = `audio?format=wav&speaker=${encodeURIComponent(speaker)}`;
    const words = speaker || t("books.narrator");
    return chip(words, () => download(shown, { name, extension: `${words}.wav` }));
  }

  /** Speech that is not all there is not measured: that takes long. */
  async function show(job) {
    shown = job;
    element.hidden = job.state !== "done";
    summary.textContent = t("books.cues");
    if (element.hidden || !element.open || drawn === getLanguage()) return;
    const cues = await cuesOf(job).catch(() => []);
    if (!cues.length) return;
    const count = (name, least = 0) => cues.filter((cue) => cue[name] > least).length;
    const counts = { n: cues.length, faster: count("tempo", 1), cut: count("cut_s"), late: count("late_s") };
    const speakers = [...new Set(cues.map(({ speaker }) => speaker))];
    const alone = [h("span", { class: "hint" }, t("books.voices")), ...speakers.map(voice)];
    const named = { class: "book-cues", role: "region", "aria-label": t("books.cues"), tabIndex: 0 };
    const names = t("books.cues.columns").split("|");
    const head = names.map((name) => h("th", { scope: "col" }, name));
    body.replaceChildren(
      h("p", { class: "hint" }, t("books.cues.sum", counts)),
      h("div", { class: "panel-row", role: "group", hidden: speakers.length < 2 }, alone),
      h("div", named, h("table", {}, h("tr", {}, head), cues.map(row))),
    );
    drawn = getLanguage();
  }

  return { element, show };
}

function row({ number, speaker, start_s, tempo, wanted_s, natural_s, borrowed_s, cut_s, late_s }) {
  const seconds = [cut_s, late_s, borrowed_s, wanted_s, natural_s].map((n) => (n ? n.toFixed(2) : ""));
  const words = [`${number}`, speaker, clockTime(start_s), `${tempo.toFixed(2)}×`, ...seconds];
  const cells = words.map((word) => h("td", {}, word));
  return h("tr", { class: cut_s || late_s ? "warning" : "" }, cells);
}
