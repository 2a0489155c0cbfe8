// How it is spoken: seed, speed, rate, format, and how the model draws.

import { h, icon } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { INITIAL, drawnSeed } from "../store.js";

export const FORMATS = ["wav", "flac", "mp3", "opus", "aac", "pcm"];
const RATES = [24000, 32000]; // Hz
const METHODS = ["ras", "topk"];

export function mountOptions(root, { store }) {
  const set = (patch) => store.set({ options: { ...store.get().options, ...patch } });
  const rows = [
    seedRow(set),
    speedRow(set),
    choiceRow("sampleRate", RATES, set),
    choiceRow("format", FORMATS, set),
    choiceRow("sampleMethod", METHODS, set),
    numberRow("sampling", 1, 100, set),
    numberRow("beamSize", 1, 5, set),
    phonemeRow(set),
    resetRow(set),
  ];
  root.append(...rows.map((row) => row.element));
  const show = () => rows.forEach((row) => row.show(store.get().options));
  onLanguage(() => {
    rows.forEach((row) => row.say?.());
    show();
  });
  store.on("options", show);
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
    show({ speed }) {
      input.value = speed;
      output.textContent = `${speed.toFixed(2)}×`;
    },
  };
}

/** One of a few values. */
function choiceRow(name, values, set) {
  const options = values.map((value) => h("option", { value }));
  const select = h("select", { class: "input" }, options);
  const { element, say } = labelled(name, select);
  select.addEventListener("change", () => set({ [name]: values[select.selectedIndex] }));
  return {
    element,
    say() {
      say();
      values.forEach((value, i) => (options[i].textContent = t(`control.${name}.${value}`)));
    },
    show: (chosen) => (select.selectedIndex = values.indexOf(chosen[name])),
  };
}

/** Calls `use` with a new number. One that cannot be used gives way to the one that is in use. */
function onNumber(input, use) {
  input.addEventListener("change", () => {
    if (input.checkValidity()) use(input.valueAsNumber);
    else input.value = input.defaultValue;
  });
}

function numberRow(name, min, max, set) {
  const input = h("input", { type: "number", class: "input", min, max, step: 1, required: true });
  onNumber(input, (value) => set({ [name]: value }));
  const { element, say } = labelled(name, input);
  return {
    element,
    say,
    show(options) {
      input.value = input.defaultValue = options[name];
      element.hidden = name === "sampling" && options.sampleMethod !== "topk"; // ras has constants of its own
    },
  };
}

function phonemeRow(set) {
  const input = h("input", { type: "checkbox" });
  input.addEventListener("change", () => set({ usePhoneme: input.checked }));
  return { ...labelled("usePhoneme", input), show: ({ usePhoneme }) => (input.checked = usePhoneme) };
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
