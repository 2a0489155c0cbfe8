// How it is spoken: seed, speed or duration, loudness, rate, format, and how the model draws. Loaded when it is opened.

import { byId, h, icon } from "../dom.js";
import { needTexts, onLanguage, t } from "../i18n.js";
import { FORMATS, INITIAL, drawnSeed } from "../store.js";

const RATES = [8000, 16000, 22050, 24000, 32000, 44100, 48000]; // Hz
const FITS = ["refuse", "pad", "cut"]; // what becomes of a duration that no natural tempo gives
const METHODS = ["ras", "topk"];

export async function mountOptions(root, { store }) {
  await needTexts("options");
  if (root.hasChildNodes()) return;
  const set = (patch) => store.set({ options: { ...store.get().options, ...patch } });
  const rows = [
    seedRow(set),
    speedRow(set),
    numberRow("duration", { min: 0.1, max: 600, step: "any" }, set),
    choiceRow("fit", FITS, set),
    numberRow("loudness", { min: -31, max: -14, step: "any" }, set),
    choiceRow("sampleRate", RATES, set, (rate) => `${rate / 1000} kHz`),
    choiceRow("format", FORMATS, set, (format) => t(`takes.file.${format}`)),
    choiceRow("sampleMethod", METHODS, set),
    numberRow("sampling", { min: 1, max: 100, required: true }, set),
    numberRow("beamSize", { min: 1, max: 5, required: true }, set),
    checkRow("usePhoneme", set),
    checkRow("verify", set),
    resetRow(set),
  ];
  const hides = {
    fit: ({ options }) => !options.duration,
    sampling: ({ options }) => options.sampleMethod !== "topk", // ras has constants of its own
    verify: ({ health }) => !health?.recogniser,
  };
  root.append(...rows.map((row) => row.element));
  const show = () => {
    rows.forEach((row) => row.show(store.get().options));
    for (const [name, isSo] of Object.entries(hides))
      byId(`option-${name}`).closest(".option").hidden = isSo(store.get());
  };
  onLanguage(() => {
    rows.forEach((row) => row.say?.());
    show();
  });
  store.on("options", show);
  store.on("health", show);
}

/** A control with its label, and a line that says what it does. */
function labelled(name, input, ...beside) {
  const label = h("label", { htmlFor: `option-${name}`, class: "option-name" });
  const hint = h("p", { id: `hint-${name}`, class: "hint" });
  input.id = `option-${name}`;
  input.setAttribute("aria-describedby", hint.id);
  const say = () => {
    label.textContent = t(`control.${name}`);
    hint.textContent = t(`control.${name}.hint`);
  };
  const element = h(
    "div",
    { class: "option" },
    label,
    h("div", { class: "option-row" }, input, ...beside),
    hint,
  );
  return { element, say };
}

function seedRow(set) {
  const input = h("input", {
    type: "number",
    class: "input",
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    required: true,
  });
  const dice = h("button", { type: "button", class: "button icon-only" }, icon("dice"));
  const lock = h("button", { type: "button", class: "button icon-only" });
  const { element, say } = labelled("seed", input, dice, lock);
  let locked;
  onNumber(input, (seed) => set({ seed }));
  dice.addEventListener("click", () => set({ seed: drawnSeed() }));
  lock.addEventListener("click", () => set({ seedLocked: !locked }));
  return {
    element,
    say() {
      say();
      for (const [button, key] of [
        [dice, "control.dice"],
        [lock, "control.lock"],
      ]) {
        button.title = t(key);
        button.setAttribute("aria-label", t(key));
      }
    },
    show(options) {
      locked = options.seedLocked;
      input.value = input.defaultValue = options.seed;
      lock.setAttribute("aria-pressed", locked);
      lock.replaceChildren(icon(locked ? "lock" : "unlock"));
    },
  };
}

function speedRow(set) {
  const input = h("input", { type: "range", min: 0.5, max: 2, step: 0.05 });
  const output = h("output", { class: "option-value", htmlFor: "option-speed" });
  input.addEventListener("input", () => set({ speed: input.valueAsNumber }));
  return {
    ...labelled("speed", input, output),
    show({ speed, duration }) {
      input.disabled = output.hidden = Boolean(duration);
      input.value = speed;
      output.textContent = `${speed.toFixed(2)}×`;
    },
  };
}

/** One of a few values; `wordsOf` says a value. */
function choiceRow(name, values, set, wordsOf = (value) => t(`control.${name}.${value}`)) {
  const options = values.map((value) => h("option", { value }));
  const select = h("select", { class: "input" }, options);
  const { element, say } = labelled(name, select);
  select.addEventListener("change", () => set({ [name]: values[select.selectedIndex] }));
  return {
    element,
    say() {
      say();
      values.forEach((value, i) => (options[i].textContent = wordsOf(value)));
    },
    show: (chosen) => (select.selectedIndex = values.indexOf(chosen[name])),
  };
}

/** Calls `use` with a new number; with null for none. One that cannot be used gives way to the one that is in use. */
function onNumber(input, use) {
  input.addEventListener("change", () => {
    if (input.checkValidity()) use(input.value ? input.valueAsNumber : null);
    else input.value = input.defaultValue;
  });
}

/** A number within its `limits`. */
function numberRow(name, limits, set) {
  const input = h("input", { type: "number", class: "input", ...limits });
  onNumber(input, (value) => set({ [name]: value }));
  const show = (options) => (input.value = input.defaultValue = options[name] ?? "");
  return { ...labelled(name, input), show };
}

function checkRow(name, set) {
  const input = h("input", { type: "checkbox" });
  input.addEventListener("change", () => set({ [name]: input.checked }));
  return { ...labelled(name, input), show: (options) => (input.checked = options[name]) };
}

function resetRow(set) {
  const button = h("button", { type: "button", class: "button small" });
  button.addEventListener("click", () => set(INITIAL.options));
  return {
    element: button,
    say: () => (button.textContent = t("control.reset")),
    show: (options) =>
      (button.disabled = Object.entries(INITIAL.options).every(([k, v]) => options[k] === v)),
  };
}
