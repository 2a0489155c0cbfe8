// Saves the take that is in the player, in the format that is chosen.

import { icon } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { createActing } from "./acting.js";
import { audioFile, fileName, save } from "./download.js";

export function mountSave(root, { store, api }) {
  const words = document.createTextNode("");
  const button = createActing({ class: "button" }, async () => {
    const { take, options } = store.get();
    save(await audioFile(take, options.format, api), fileName(take, options.format));
  });
  button.append(icon("download"), words);
  root.append(button);
  store.on("take", (take) => (root.hidden = take === null));
  onLanguage(show);
  store.on("options", show);

  function show() {
    words.data = t("takes.saveAs", { format: t(`takes.file.${store.get().options.format}`) });
  }
}
