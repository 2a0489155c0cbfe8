// The books that the server has: begun, followed, heard, saved and ended.

import { speechFields } from "../api.js";
import { announce, byId, h } from "../dom.js";
import { onLanguage, sayError, t } from "../i18n.js";
import { poll } from "../poll.js";
import { drawSeed, isBook } from "../store.js";
import { save } from "../takes/download.js";
import { toast } from "../voices/toast.js";
import { createCast, namesIn } from "./cast.js";
import { createListener } from "./listener.js";
import { askAbout } from "./question.js";
import { createRow, isGoing, titleOf } from "./row.js";

const BUSY_MS = 1000;
const IDLE_MS = 10_000;
const TITLE_CHARS = 60;
const MOST_ROLES_BYTES = 2_000_000; // of a file that is put into the box
const OF_WHOLE_ANSWERS = { duration: null, loudness: null };
const NEWS = ["done", "failed", "paused"]; // of which a listener is told

export function createPanel(root, { store, api }) {
  const rows = new Map(); // id -> { job, element, show }
  const leaving = new Set(); // deleted, as long as that can be undone
  const title = h("h2", { id: "books-title" });
  const list = h("ol", { class: "book-rows" });
  const listener = createListener({ api, onChange: showRows, onPlay: () => store.set({ playing: false }) });
  const actions = {
    play: listener.toggle,
    playChapter: listener.playChapter,
    isPlaying: listener.isPlaying,
    change: (job, act) => act && changed(api.jobs.change(job.id, act)),
    remove,
    download,
    hears: () => Boolean(store.get().health?.recogniser),
    chaptersOf: async ({ id }) => (await api.jobs.get(id)).chapters,
    cuesOf: ({ id }) => api.jobs.cues(id),
  };
  const chosenCast = createCast(byId("cast"), { store });
  let sending = false;
  root.append(title, list);
  onLanguage(() => {
    title.textContent = t("books.title");
    showRows();
  });
  const askNow = poll(look);

  /** The text as it stands, or a file in its place, whose title and voice are asked for. */
  async function begin(file) {
    if (sending || (file && (await takesRoles(file)))) return;
    const { text, voice: chosen, voices, options } = store.get();
    if (!chosen) return toast(t("voices.none"));
    const proposed = { title: givenTitle(text, file), voice: chosen };
    const wanted = file ? await askAbout(file, { ...proposed, voices }) : proposed;
    if (!wanted) return;
    const { title: name, voice, timing = null, cast = chosenCast() } = wanted;
    sending = true;
    drawSeed(store);
    toast(t("books.sending"));
    const fields = {
      ...(cast && { cast }),
      ...(timing && { timing }),
      ...speechFields({ text: file ? "" : text, voice, options: { ...options, ...OF_WHOLE_ANSWERS } }),
      title: name,
    };
    try {
      const job = await api.jobs.begin(fields, file);
      toast(t("books.begun", { title: titleOf(job) }));
      await askNow();
      rows.get(job.id)?.element.scrollIntoView({ block: "center" });
    } catch (error) {
      if (!error.keyRefused) toast(sayError(error));
    } finally {
      sending = false;
    }
  }

  /** A file whose lines have speakers becomes the text, above the voices to choose for them. */
  async function takesRoles(file) {
    if (!/\.(txt|md)$/i.test(file.name) || file.size > MOST_ROLES_BYTES) return false;
    const text = await file.text();
    const { mayWrite } = store.get();
    if (text.includes("\ufffd") || !isBook({ text, mayWrite }) || !namesIn(text).length) return false;
    store.set({ text });
    toast(t("books.castFirst", { make: t("speak.book") }));
    return true;
  }

  /** Returns after how many milliseconds to look again. */
  async function look() {
    const jobs = await api.jobs.list().catch(() => null);
    if (jobs) show(jobs);
    return jobs?.some(isGoing) ? BUSY_MS : IDLE_MS;
  }

  function show(jobs) {
    const shown = jobs.filter(({ id }) => !leaving.has(id));
    const ids = new Set(shown.map(({ id }) => id));
    for (const id of rows.keys()) {
      if (!ids.has(id)) drop(id);
    }
    shown.forEach(put);
    root.hidden = rows.size === 0;
  }

  function put(job, place) {
    const before = rows.get(job.id);
    const row = before ?? createRow(actions, job.timing !== null);
    if (!before) list.insertBefore(row.element, list.children[place] ?? null);
    rows.set(job.id, { ...row, job });
    if (before && before.job.state !== job.state && NEWS.includes(job.state))
      announce(`${titleOf(job)}: ${t(`books.state.${job.state}`)}`);
    row.show(job);
    listener.follow(job);
  }

  function drop(id) {
    listener.forget(id);
    rows.get(id).element.remove();
    rows.delete(id);
  }

  function showRows() {
    for (const { job, show: showRow } of rows.values()) showRow(job);
  }

  async function changed(change) {
    await change.catch((error) => error.keyRefused || toast(sayError(error)));
    await askNow();
  }

  /** Only once it can no longer be undone. */
  function remove(job) {
    const { id } = job;
    leaving.add(id);
    drop(id);
    const back = () => {
      leaving.delete(id);
      askNow();
    };
    toast(t("books.deleted", { title: titleOf(job) }), {
      act: t("books.undo"),
      onAct: back,
      onGone: () => changed(api.jobs.remove(id)).then(back),
    });
  }

  /** Audio has the loudness that is chosen; a voice alone (`speaker`) keeps its own. */
  async function download(job, { name, extension, isAudio }) {
    const { loudness } = store.get().options;
    const asked = isAudio && loudness ? `${name}&loudness=${loudness}` : name;
    save(await api.jobs.file(job.id, asked), `${titleOf(job)}.${extension}`);
  }

  return { begin };
}

/** For a text that names no title in a heading or front matter: its first line, or the name of its file. */
function givenTitle(text, file) {
  if (file) return /\.(txt|srt|vtt|ass)$/i.test(file.name) ? file.name.slice(0, -4) : "";
  const [line] = text.trim().split("\n");
  return /^(#|<|---)/.test(line) ? "" : line.slice(0, TITLE_CHARS);
}
