// The button that speaks and stops, and the line beside it that says how far it is.

import { announce, byId, h, icon } from "../dom.js";
import { sayError } from "../errors.js";
import { duration, onLanguage, t } from "../i18n.js";
import { GOING } from "./speaking.js";

export function mountProgress({ store, speaking }) {
  const button = byId("speak");
  const line = byId("progress");
  const notice = byId("speak-error");
  let said = "";

  const show = () => {
    const { speaking: now, text, voice } = store.get();
    const isGoing = GOING.includes(now.state);
    button.replaceChildren(icon(isGoing ? "stop" : "play"), t(isGoing ? "speak.stop" : "speak.button"));
    if (!isGoing) button.append(h("kbd", {}, isMac() ? "⌘↵" : "Ctrl ↵"));
    button.classList.toggle("primary", !isGoing);
    button.disabled = !isGoing && (!text.trim() || !voice);
    line.textContent = progressWords(now);
    line.classList.toggle("is-going", isGoing);
    notice.hidden = now.state !== "failed";
    notice.textContent = now.state === "failed" ? sayError(now.error) : "";
    tell(now);
  };

  /** A listener is told of each new state, not of each second. */
  function tell(now) {
    const words = now.retryInS ? sayError(now.error) : now.state === "failed" ? "" : progressWords(now);
    const news = `${now.state} ${now.place} ${now.segment} ${Boolean(now.retryInS)}`;
    if (news !== said && words) announce(words);
    said = news;
  }

  button.addEventListener("click", speaking.toggle);
  for (const key of ["speaking", "text", "voice"]) store.on(key, show);
  onLanguage(show);
}

function progressWords({ state, error, retryInS, place, segment, segments, seconds, firstSoundS }) {
  switch (state) {
    case "waiting":
      if (retryInS) return `${sayError(error)} ${t("progress.retry", { n: retryInS })}`;
      return place ? t("progress.inLine", { n: place }) : t("progress.starting");
    case "speaking":
      return segments ? t("progress.segment", { segment, segments }) : t("progress.speaking");
    case "done":
      return t("progress.done", { duration: duration(seconds, 1), first: duration(firstSoundS, 1) });
    case "stopped":
      return t("progress.stopped");
    default:
      return "";
  }
}

const isMac = () => /Mac|iPhone|iPad/.test(navigator.platform);
