// What a recogniser hears in speech, where the server has one: the report below the player.

import { byId, h } from "../dom.js";
import { needTexts, onLanguage, t } from "../i18n.js";

let isMounted = false;

export async function mountHearing({ store, api }) {
  if (isMounted) return;
  isMounted = true;
  await needTexts("hearing");
  mountReport(byId("lines"), { store, api });
}

/** Of the take that is in the player; of one that the server has forgotten there is none. */
function mountReport(lines, { store, api }) {
  const report = h("div", { hidden: true, role: "status" });
  lines.after(report);
  let verified = null;

  const show = () => {
    report.hidden = !verified;
    if (verified) report.replaceChildren(...reportLines(verified));
  };
  store.on("take", async (take) => {
    verified = null;
    show();
    if (!take?.options.verify) return;
    const found = await api.heardIn(take.id).catch(() => ({ verified: null }));
    if (store.get().take !== take) return;
    verified = found.verified;
    show();
  });
  onLanguage(show);
}

/** What is doubtful in [{ segment, verdict, said, heard }], a line each; that nothing is, in one. */
export function reportLines(verified) {
  const doubtful = verified.filter(({ verdict }) => verdict !== "ok");
  if (!doubtful.length) return [h("p", { class: "hint" }, t("hearing.ok"))];
  return doubtful.map(({ segment, verdict, said, heard }) =>
    h("p", { class: "hint warning" }, t(`hearing.${verdict}`, { n: segment + 1, said, heard })),
  );
}
