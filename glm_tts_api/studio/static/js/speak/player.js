// The player: play and pause, seek on the sound's picture, the segments lit as they are heard.

import { byId, clockTime, h, icon } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { createPicture } from "./picture.js";
import { createPlayback } from "./playback.js";
import { timedSegments } from "./take.js";

const KEY_S = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2 };
const EMPTY = { seconds: 0, expected: 0, peaks: new Float32Array(0), segments: [], take: null };

export function mountPlayer(root, { store }) {
  const playback = createPlayback(changed);
  const picture = createPicture(byId("picture"), byId("picture-kind"));
  const lines = createLines(byId("lines"), (seconds) => playback.seek(seconds));
  const button = byId("play");
  const seek = byId("seek");
  const clock = byId("clock");
  let begun; // the last utterance
  let frame = 0;

  /** What is in the player, whether it is being made or was made long ago. */
  function shown() {
    const { take } = store.get();
    const live = playback.live();
    if (take) return { ...take, expected: take.seconds, take };
    if (!live?.recording) return EMPTY;
    const seconds = live.recording.seconds();
    const expected = Math.max((live.reading?.seconds ?? 0) / live.wanted.options.speed, seconds * 1.05);
    const segments = timedSegments(live.reading, live.ends, seconds);
    return { seconds, expected, peaks: live.peaks.all(), segments, take };
  }

  function draw() {
    const sound = shown();
    const at = Math.min(playback.position(), sound.seconds);
    picture.draw(sound, at);
    lines.show(sound.segments, at, playback.canSeek());
    clock.textContent = `${clockTime(at)} / ${clockTime(sound.seconds)}`;
    seek.max = sound.expected || 1;
    if (document.activeElement !== seek || !playback.live()) seek.value = at;
    const words = t("player.position", { at: clockTime(at), of: clockTime(sound.seconds) });
    seek.setAttribute("aria-valuetext", words);
    frame = playback.isPlaying() || playback.live()?.recording ? requestAnimationFrame(draw) : 0;
  }

  function changed() {
    const playing = playback.isPlaying();
    const isMade = Boolean(playback.live()?.recording) && !store.get().take;
    const has = isMade || Boolean(store.get().take);
    const appears = isMade && root.classList.contains("is-empty");
    button.replaceChildren(icon(playing ? "pause" : "play"));
    button.setAttribute("aria-label", t(playing ? "player.pause" : "player.play"));
    button.disabled = !has;
    seek.disabled = !playback.canSeek();
    seek.setAttribute("aria-label", t("player.seek"));
    byId("player-empty").hidden = has;
    root.classList.toggle("is-empty", !has);
    if (appears) root.scrollIntoView({ block: "nearest" });
    store.set({ playing });
    cancelAnimationFrame(frame);
    draw();
  }

  button.addEventListener("click", () => (playback.isPlaying() ? playback.pause() : playback.play()));
  seek.addEventListener("input", () => playback.seek(Number(seek.value)));
  seek.addEventListener("keydown", (event) => {
    const seconds = KEY_S[event.key];
    if (!seconds) return; // Home, End and the others do what they do everywhere
    event.preventDefault();
    playback.seek(Math.min(Number(seek.max), Math.max(0, playback.position() + seconds)));
  });
  store.on("speaking", ({ state, utterance }) => {
    if (state !== "waiting" || utterance === begun) return;
    begun = utterance;
    store.set({ take: null });
    playback.setLive(utterance);
  });
  store.on("take", (take) => playback.setTake(take));
  store.on("playing", (playing) => {
    if (playing !== playback.isPlaying()) playing ? playback.play() : playback.pause();
  });
  store.on("theme", () => draw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  new ResizeObserver(() => draw()).observe(byId("picture"));
  onLanguage(changed);
}

/** The segments of a sound, of which the one that is heard is lit; pressing one goes to where it begins. */
function createLines(list, onPress) {
  let shown = []; // their texts
  let lit = -1;

  function rebuild(segments) {
    const line = ({ text }, i) =>
      h("li", {}, h("button", { type: "button", on: { click: () => onPress(starts[i]) } }, text));
    list.replaceChildren(...segments.map(line));
    shown = segments.map(({ text }) => text);
    lit = -1;
  }

  let starts = [];

  return {
    show(segments, at, canSeek) {
      starts = segments.map(({ start }) => start);
      if (segments.length !== shown.length || segments.some(({ text }, i) => text !== shown[i]))
        rebuild(segments);
      list.classList.toggle("can-seek", canSeek);
      light(segments.findLastIndex(({ start }) => start <= at + 0.01));
    },
  };

  function light(i) {
    if (i === lit) return;
    list.children[lit]?.removeAttribute("aria-current");
    list.children[i]?.setAttribute("aria-current", "true");
    lit = i;
    const line = list.children[i];
    if (line) list.scrollTo({ top: line.offsetTop - list.clientHeight / 2 + line.offsetHeight / 2 });
  }
}
