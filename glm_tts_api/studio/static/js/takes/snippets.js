// A take as commands that make it again. They run as they are pasted; a key is never in them, only the name of the
// environment variable that has it.

import { speechFields } from "../api.js";
import { INITIAL } from "../store.js";

const KEY_VARIABLE = "GLM_TTS_API_KEY";

/** What of a take's fields OpenAI's dialect knows, by its names there. */
const OPENAI_NAMES = {
  index: "voice",
  input_text: "input",
  response_format: "response_format",
  speed: "speed",
};

/**
 * @param take    what was made
 * @param format  "wav", "mp3", ...
 * @param base    the server's address, with a slash at its end
 * @param keyed   whether the server asks for a key
 */
export function curlSnippet(take, format, { base, keyed }) {
  // A quote would end the shell's string; JSON has another way to write it.
  const body = json(told(take, format)).replaceAll("'", "\\u0027");
  const lines = [`curl -fsS ${new URL("api/v1/tts", base)}`, "-H 'Content-Type: application/json'"];
  if (keyed) lines.push(`-H "X-API-Key: $${KEY_VARIABLE}"`);
  return `${[...lines, `-d '${body}'`, `-o ${fileName(format)}`].join(" \\\n  ")}\n`;
}

/** For the openai package. A take that only our own API can make again goes there, with the same client. */
export function pythonSnippet(take, format, { base, keyed }) {
  const { seed, stream, ...fields } = told(take, format);
  const known = Object.keys(fields).every((name) => name in OPENAI_NAMES);
  const key = keyed ? `os.environ["${KEY_VARIABLE}"]` : '"none"';
  const imports = known ? "OpenAI" : "HttpxBinaryResponseContent, OpenAI";
  const client = `client = OpenAI(base_url="${new URL(known ? "v1" : "api/v1", base)}", api_key=${key})`;
  const args = known
    ? ['model="glm-tts"', ...openaiArguments(fields), `extra_body={"seed": ${seed}}`]
    : ['"/tts"', "cast_to=HttpxBinaryResponseContent", `body=${pythonDict({ seed, stream, ...fields })}`];
  return [
    ...(keyed ? ["import os", ""] : []),
    `from openai import ${imports}`,
    "",
    client,
    `speech = client.${known ? "audio.speech.create" : "post"}(`,
    ...args.map((arg) => `    ${arg},`),
    ")",
    `speech.write_to_file("${fileName(format)}")`,
    "",
  ].join("\n");
}

/** For Node 20 and for a page's console: it saves the file in both. */
export function javascriptSnippet(take, format, { base, keyed }) {
  const headers = ['"Content-Type": "application/json"'];
  if (keyed)
    headers.push(`"X-API-Key": globalThis.process?.env.${KEY_VARIABLE} ?? prompt("${KEY_VARIABLE}")`);
  const body = JSON.stringify(told(take, format), null, 2).replaceAll("\n", "\n    ");
  return `(async () => {
  const response = await fetch("${new URL("api/v1/tts", base)}", {
    method: "POST",
    headers: { ${headers.join(", ")} },
    body: JSON.stringify(${body}),
  });
  if (!response.ok) throw new Error(await response.text());
  const audio = await response.blob();
  if (globalThis.process?.versions?.node) {
    const { writeFile } = await import("node:fs/promises");
    await writeFile("${fileName(format)}", Buffer.from(await audio.arrayBuffer()));
  } else {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(audio);
    link.download = "${fileName(format)}";
    link.click();
  }
})();
`;
}

/** The fields that make the take again: those that are not as the server has them without, and the seed. */
function told(take, format) {
  const usual = speechFields(INITIAL);
  const { stream, ...own } = speechFields(take);
  const fields = Object.entries(own).filter(([name, value]) => name === "seed" || value !== usual[name]);
  return { ...Object.fromEntries(fields), response_format: format, stream };
}

function fileName(format) {
  return `speech.${format}`;
}

function openaiArguments(fields) {
  return Object.entries(fields).map(([name, value]) => `${OPENAI_NAMES[name]}=${python(value)}`);
}

function pythonDict(fields) {
  const entries = Object.entries(fields).map(([name, value]) => `"${name}": ${python(value)}`);
  return `{${entries.join(", ")}}`;
}

/** JSON's strings and numbers are Python's too. */
function python(value) {
  if (typeof value === "boolean") return value ? "True" : "False";
  return JSON.stringify(value);
}

/** With a space where people put one. */
function json(fields) {
  return `{${Object.entries(fields)
    .map(([name, value]) => `"${name}": ${JSON.stringify(value)}`)
    .join(", ")}}`;
}
