// A book is heard, also while it is made: at the end of the sound that there was, the player takes what there is by then.

import { play } from "../dom.js";
import { sayError, t } from "../i18n.js";
import { hushFor } from "../voices/listening.js";
import { toast } from "../voices/toast.js";
import { isGoing } from "./row.js";

const SOUND = "audio?format=mp3";
const MORE = 1.1; // as much as that of the segments, before what there is is fetched anew: it is the whole book again

/** @param onChange called when it starts or stops; `onPlay`, when it starts */
export function createListener({ api, onChange, onPlay }) {
  const audio = document.createElement("audio");
  audio.controls = true;
  const sound = { stop: () => audio.pause() };
  let job = null; // the one that is heard, as it is now
  let loaded = 0; // its segments in the player's sound
  let waits = false; // at the end of that sound, for more
  let token = null; // of the sound that was asked for last

  for (const event of ["play", "pause", "error"]) audio.addEventListener(event, onChange);
  audio.addEventListener("play", () => {
    hushFor(sound);
    onPlay();
  });
  audio.addEventListener("ended", () => {
    waits = true;
    goOn();
  });

  /** Loads the sound that there is, and plays it from `at`, in seconds. */
  async function load(at) {
    const mine = (token = {});
    waits = false;
    loaded = job.segments_done;
    try {
      const source = at
        ? URL.createObjectURL(await api.jobs.file(job.id, SOUND))
        : await api.jobs.address(job.id, SOUND); // which comes while it is put together
      if (token !== mine) return;
      if (audio.src.startsWith("blob:")) URL.revokeObjectURL(audio.src);
      audio.src = source;
      if (at) audio.currentTime = at;
      await play(audio);
    } catch (error) {
      if (token === mine && !error.keyRefused) toast(sayError(error));
    }
  }

  function goOn() {
    const hasMore = job.segments_done > loaded;
    if (waits && hasMore && (!isGoing(job) || job.segments_done >= MORE * loaded)) load(audio.currentTime);
  }

  /** In `place`: an element that is moved while it plays falls silent. */
  function start(wanted, place, at) {
    job = wanted;
    place.append(audio);
    audio.setAttribute("aria-label", t("books.player"));
    load(at);
  }

  const isHeard = ({ id }) => job?.id === id;
  const isPlaying = (one) => isHeard(one) && !audio.paused && !audio.error;

  return {
    isPlaying,

    toggle(wanted, place) {
      if (isPlaying(wanted)) audio.pause();
      else if (isHeard(wanted) && audio.error) start(wanted, place, audio.currentTime);
      else if (isHeard(wanted) && !audio.ended && audio.readyState) play(audio);
      else start(wanted, place, 0);
    },

    /** From the beginning of the chapter with that number, from 0. */
    async playChapter(wanted, place, number) {
      const chapters = await api.jobs.chapters(wanted.id).catch(() => []);
      if (chapters[number]) start(wanted, place, chapters[number].startTime);
    },

    /** What is known of a job now. */
    follow(known) {
      if (!isHeard(known)) return;
      job = known;
      goOn();
    },

    forget(id) {
      if (job?.id !== id) return;
      audio.pause();
      audio.remove();
      audio.removeAttribute("src");
      job = token = null;
      waits = false;
    },
  };
}
