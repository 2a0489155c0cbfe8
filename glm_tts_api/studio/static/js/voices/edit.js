// One voice's transcript, and its end.

import { h } from "../dom.js";
import { sayError, t } from "../i18n.js";
import { ask, foot, textButton, troubleLine } from "./dialog.js";

/** Resolves to "changed" (on the server), "delete" (wanted by the person; nothing is done yet), or null. */
export function openEdit({ api, voice, mayWrite }) {
  return ask(voice.index, (answer) => {
    const trouble = troubleLine();
    const transcript = h("textarea", {
      rows: 4,
      required: true,
      readOnly: !mayWrite,
      value: voice.prompt_text,
    });
    const save = h("button", { class: "button primary" }, t("voices.save"));

    async function onSubmit(event) {
      event.preventDefault();
      save.disabled = true;
      try {
        await api.voices.change(voice.index, transcript.value);
        answer("changed");
      } catch (error) {
        trouble.say(sayError(error));
        save.disabled = false;
      }
    }

    const own = mayWrite && voice.source === "own";
    const form = h(
      "form",
      { class: "voice-form", on: { submit: onSubmit } },
      h("label", { class: "field" }, t("voices.transcript"), transcript),
      h("p", { class: "hint" }, t(hintFor(voice, mayWrite))),
      trouble.element,
      foot(
        own && textButton("button danger", "voices.delete", () => answer("delete")),
        null,
        textButton("button", mayWrite ? "voices.cancel" : "voices.close", () => answer(null)),
        mayWrite && save,
      ),
    );
    return [form];
  });
}

function hintFor({ source }, mayWrite) {
  if (!mayWrite) return "voices.mayNotWrite";
  return source === "shipped" ? "voices.isShipped" : "voices.transcriptHint";
}
