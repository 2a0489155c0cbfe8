// One book: how far it is, and what can be done with it.

import { h, icon } from "../dom.js";
import { duration, getLanguage, t } from "../i18n.js";
import { chip } from "../takes/more.js";
import { createCues } from "./cues.js";

const audio = (extension) => ({ name: `audio?format=${extension}`, extension, isAudio: true });
const SRT = { name: "subtitles.srt", extension: "srt" };
const FILES = [audio("m4b"), audio("mp3"), SRT];
const FILES_OF_A_FILM = [audio("wav"), audio("flac"), audio("mp3"), SRT];
const HEARD = { name: "verified", extension: "verified.json" };
const GOES_ON = { queued: "pause", running: "pause", paused: "resume", failed: "resume" };

export const isGoing = ({ state }) => state === "queued" || state === "running";
export const titleOf = ({ title }) => title || t("books.untitled");

/**
 * `actions`: play(job, place) and playChapter(job, place, number), the player being put into `place`; isPlaying(job),
 * change(job, act), remove(job), download(job, file), chaptersOf(job), cuesOf(job); hears(): whether the server has a
 * recogniser. `isTimed`: its subtitles keep their times. `show` writes what is known of the job now.
 */
export function createRow(actions, isTimed) {
  let job;
  const button = (className, act) =>
    h("button", { type: "button", class: `button ${className}`, on: { click: act } });
  const play = button("icon-only quiet", () => actions.play(job, player));
  const title = h("p", { class: "ellipsis" });
  const facts = h("p", { class: "hint" });
  const bar = h("progress", { class: "book-progress" });
  const why = h("p", { class: "hint warning", hidden: true });
  const player = h("div", { class: "book-player" });
  const goesOn = button("small", () => actions.change(job, GOES_ON[job.state]));
  const cancel = button("small", () => {
    remove.focus(); // this button goes
    actions.change(job, "cancel");
  });
  const remove = button("small danger", () => actions.remove(job));
  const files = (isTimed ? FILES_OF_A_FILM : FILES).map((file) =>
    chip(file.extension.toUpperCase(), () => actions.download(job, file)),
  );
  const heard = chip("", () => actions.download(job, HEARD));
  const saves = h("div", { class: "chips", role: "group" }, h("span", { class: "hint" }), files, heard);
  const chapters = createChapters((number) => actions.playChapter(job, player, number), actions.chaptersOf);
  const cues = isTimed ? createCues(actions) : null;
  const element = h(
    "li",
    { class: "book" },
    play,
    h("div", { class: "book-what" }, title, facts, bar, why),
    h("div", { class: "book-do" }, saves, goesOn, cancel, remove),
    player,
    chapters.element,
    cues?.element,
  );

  function show(known) {
    job = known;
    const playing = actions.isPlaying(job);
    const name = titleOf(job);
    title.textContent = title.title = name;
    facts.textContent = factsOf(job);
    bar.max = job.segments;
    bar.value = job.segments_done;
    bar.hidden = job.state === "done";
    bar.setAttribute("aria-label", t("books.progress", { title: name }));
    why.hidden = !job.message;
    why.textContent = job.message;
    play.disabled = saves.hidden = job.segments_done === 0;
    play.replaceChildren(icon(playing ? "pause" : "play"));
    play.setAttribute("aria-label", t(playing ? "books.pauseSound" : "books.play", { title: name }));
    goesOn.hidden = !(job.state in GOES_ON);
    goesOn.textContent = t(isGoing(job) ? "player.pause" : "books.resume");
    cancel.hidden = !(job.state in GOES_ON);
    cancel.textContent = t("books.cancel");
    remove.textContent = t("takes.delete");
    heard.hidden = !actions.hears();
    heard.textContent = t("books.heard");
    saves.firstChild.textContent = t("takes.save");
    saves.setAttribute("aria-label", t("takes.save"));
    chapters.show(job);
    cues?.show(job);
  }

  return { element, show };
}

function factsOf({ state, segments, segments_done: done, audio_seconds: sound, eta_s: left, created_at }) {
  const isDone = state === "done";
  const begun = new Date(1000 * created_at);
  return [
    t(`books.state.${state}`),
    !isDone && segments > 0 && t("books.segments", { done, segments }),
    sound > 0 && t("books.sound", { duration: duration(sound) }),
    state === "running" && left !== null && t("books.left", { duration: duration(left) }),
    begun.toLocaleString(getLanguage(), { dateStyle: "short", timeStyle: "short" }),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** The chapters, folded; one whose beginning is spoken can be pressed, and is heard from there. */
function createChapters(onPress, chaptersOf) {
  const summary = h("summary");
  const list = h("ol");
  const element = h(
    "details",
    { class: "book-chapters", on: { toggle: () => shown && show(shown) } },
    summary,
    list,
  );
  let shown = null;

  function item(_, i) {
    const press = h("button", { type: "button", on: { click: () => onPress(i) } });
    return h("li", {}, press, h("span", { class: "hint" }));
  }

  async function show(job) {
    shown = job;
    element.hidden = job.chapter_count < 2;
    summary.textContent = t("books.chapters", { n: job.chapter_count });
    if (!element.open) return; // there may be hundreds
    const chapters = await chaptersOf(job).catch(() => []);
    if (!chapters.length) return;
    if (list.children.length !== chapters.length) list.replaceChildren(...chapters.map(item));
    const whole = chapters.findIndex(({ segments, segments_done: done }) => done < segments);
    const heard = whole < 0 ? chapters.length : whole + (chapters[whole].segments_done > 0 ? 1 : 0);
    chapters.forEach(({ title, segments, segments_done: done }, i) => {
      const [press, facts] = list.children[i].children;
      press.textContent = title || t("books.chapter", { n: i + 1 });
      press.disabled = i >= heard;
      facts.textContent = done < segments ? t("books.segments", { done, segments }) : "";
    });
  }

  return { element, show };
}
