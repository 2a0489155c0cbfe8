// One voice's transcript, the notes about it, its moods, and its end.

import { h } from "../dom.js";
import { sayError, t } from "../i18n.js";
import { save } from "../takes/download.js";
import { ask, foot, textButton, troubleLine } from "./dialog.js";
import { inMood, moodsOf } from "./moods.js";
import { createNoteFields } from "./note_fields.js";

/** Resolves to "changed" (on the server), "delete" or "moods" (wanted by the person; nothing is done yet), or null. */
export function openEdit({ api, voice, mayWrite }) {
  return ask(voice.index, (answer) => {
    const trouble = troubleLine();
    const transcript = h("textarea", {
      rows: 4,
      required: true,
      readOnly: !mayWrite,
      value: voice.prompt_text,
    });
    const notes = createNoteFields(voice, { mayWrite });
    const saveButton = h("button", { class: "button primary" }, t("voices.save"));

    async function onSubmit(event) {
      event.preventDefault();
      saveButton.disabled = true;
      try {
        await api.voices.change(voice.index, { prompt_text: transcript.value, ...notes.changed() });
        answer("changed");
      } catch (error) {
        trouble.say(sayError(error));
        saveButton.disabled = false;
      }
    }

    const own = mayWrite && voice.source === "own";
    const form = h(
      "form",
      { class: "voice-form", on: { submit: onSubmit } },
      h("label", { class: "field" }, t("voices.transcript"), transcript),
      h("p", { class: "hint" }, t(hintFor(voice, mayWrite))),
      notes.element,
      moodList({ api, voice, mayWrite, answer, trouble }),
      textButton("button small", "voices.export", () => exportVoice({ api, voice, trouble })),
      trouble.element,
      foot(
        own && textButton("button danger", "takes.delete", () => answer("delete")),
        null,
        textButton("button", mayWrite ? "voices.cancel" : "voices.close", () => answer(null)),
        mayWrite && saveButton,
      ),
    );
    return [form];
  });
}

async function exportVoice({ api, voice, trouble }) {
  try {
    save(await api.voices.file(voice.index), `${voice.index}.zip`);
  } catch (error) {
    trouble.say(sayError(error));
  }
}

function hintFor({ source }, mayWrite) {
  if (!mayWrite) return "voices.mayNotWrite";
  return source === "shipped" ? "voices.isShipped" : "voices.transcriptHint";
}

function moodList({ api, voice, mayWrite, answer, trouble }) {
  const rows = moodsOf(voice).map((mood) => {
    const row = h("li", {}, h("span", {}, mood));
    const remove = textButton("button quiet small", "takes.delete", async () => {
      try {
        await api.voices.remove(inMood(voice.index, mood));
        answer("changed");
      } catch (error) {
        trouble.say(sayError(error));
      }
    });
    if (mayWrite) row.append(remove);
    return row;
  });
  const record = mayWrite && textButton("button small", "voices.recordMoods", () => answer("moods"));
  return h(
    "div",
    { class: "field" },
    t("voices.moods"),
    h("p", { class: "hint" }, t("voices.moodsHint")),
    h("ul", { class: "mood-list" }, rows),
    record,
  );
}
