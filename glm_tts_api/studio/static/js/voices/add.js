// A new voice: a recording is made or chosen, looked at, and saved.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { createCheck } from "./check.js";
import { ask } from "./dialog.js";
import { createSource } from "./source.js";

/** Resolves to the new voice's name once the server has it, or to null. `names`: those that are taken. */
export function openAdd({ api, names }) {
  const room = h("div");
  let step = null;

  function enter(next) {
    step?.close();
    step = next;
    room.replaceChildren(step.element);
    step.element.querySelector("[autofocus]")?.focus();
  }

  function build(answer) {
    const begin = () => enter(createSource({ onRecording: look, onLeave: () => answer(null) }));
    const look = (recording) =>
      enter(createCheck({ api, names, recording, onSaved: answer, onAgain: begin }));
    begin();
    return [room];
  }

  return ask(t("voices.newTitle"), build, { onClosed: () => step.close() });
}
