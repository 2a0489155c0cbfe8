// The API key: asked for where the server wants one, and kept until the tab is closed.

import { h, icon } from "../dom.js";
import { onLanguage, t } from "../i18n.js";

/** @param onChange called when there is another key, or none */
export function mountKey(root, { store, api, onChange }) {
  const open = h(
    "button",
    { type: "button", class: "button quiet icon-only", on: { click: show } },
    icon("key"),
  );
  const title = h("h2", { id: "key-title" });
  const name = h("span");
  const field = h("input", { id: "api-key", type: "password", required: true, autocomplete: "off" });
  const hint = h("p", { class: "hint" });
  const fault = h("p", { class: "notice", role: "alert", hidden: true });
  const use = h("button", { class: "button primary" });
  const forget = h("button", { type: "button", class: "button quiet", on: { click: () => change(null) } });
  const form = h(
    "form",
    { class: "key-form", on: { submit } },
    title,
    h("label", { class: "field" }, name, field),
    hint,
    fault,
    h("div", { class: "buttons" }, use, forget),
  );
  const dialog = h("dialog", { "aria-labelledby": "key-title" }, form);
  root.append(open, dialog);

  function show() {
    forget.hidden = !api.hasKey();
    if (!dialog.open) dialog.showModal();
    field.focus();
  }

  function submit(event) {
    event.preventDefault();
    change(field.value.trim());
  }

  async function change(key) {
    if (key) api.setKey(key);
    else api.forgetKey();
    field.value = "";
    dialog.close();
    const { needsKey: wasAsked } = store.get();
    await onChange();
    if (wasAsked) asked(); // the store reports no change where this key is refused too
  }

  /** The server wants a key, or another one than it was sent. */
  function asked() {
    const { needsKey } = store.get();
    open.hidden = !needsKey && !api.hasKey();
    fault.hidden = !needsKey || !api.hasKey();
    if (needsKey) show();
  }

  store.on("needsKey", asked);
  onLanguage(() => {
    open.title = title.textContent = name.textContent = t("see.key");
    open.setAttribute("aria-label", open.title);
    hint.textContent = t("see.keyHint");
    fault.textContent = t("see.keyWrong");
    use.textContent = t("see.keyUse");
    forget.textContent = t("see.keyForget");
  });
}
