// What is heard: an utterance while it is being made, then its take, of which any moment can be heard again.

import { play } from "../dom.js";

/** @param onChange called when it starts, stops, or has something else to play. */
export function createPlayback(onChange) {
  const element = new Audio();
  let live = null; // the utterance that is heard as it is made
  let take = null;
  for (const event of ["play", "pause", "ended", "loadedmetadata"]) element.addEventListener(event, onChange);

  function liveChanged() {
    if (live?.audio.isOver()) live = null;
    onChange();
  }

  function stopLive() {
    live.onChange = null;
    live.audio.stop();
    live = null;
  }

  return {
    live: () => live,
    isPlaying: () => (live ? Boolean(live.recording) && live.audio.isPlaying() : !element.paused),
    position: () => (live ? live.audio.position() : element.currentTime),
    canSeek: () => take !== null,

    /** An utterance that begins now takes the place of all else. */
    setLive(utterance) {
      element.pause();
      if (live) stopLive();
      take = null;
      live = utterance;
      live.onChange = liveChanged;
      onChange();
    },

    /** A take. If it is of the utterance that is being heard, that goes on; its recording goes on from a pause. */
    setTake(next) {
      const isOfLive = live !== null && live.id === next?.id;
      const at = isOfLive ? live.audio.position() : 0;
      if (live && !(isOfLive && live.audio.isPlaying())) stopLive();
      take = next;
      if (element.src) URL.revokeObjectURL(element.src);
      if (take) element.src = URL.createObjectURL(take.audio);
      else element.removeAttribute("src");
      if (take && !live) element.currentTime = at;
      onChange();
    },

    async play() {
      if (live) await live.audio.resume();
      else if (take) await play(element);
    },

    pause() {
      if (live) live.audio.pause();
      else element.pause();
    },

    /** Goes to that moment of the take; from the sound that is still heard live to its recording. */
    seek(seconds) {
      if (!take) return; // it is still being made
      const goesOn = live?.audio.isPlaying();
      if (live) stopLive();
      element.currentTime = seconds;
      if (goesOn) play(element);
      onChange();
    },
  };
}
