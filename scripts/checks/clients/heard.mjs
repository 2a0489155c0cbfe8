// The text that every npm client script here speaks, its arguments, and how it saves the audio. A script is run as
// `node CLIENT.mjs URL FILE`, with its packages in the same folder.
import { writeFile } from "node:fs/promises";

export const TEXT = "Hello, this is a test of the speech server. 你好，世界。";
export const [URL, FILE] = process.argv.slice(2);

// Writes the body of an answer to FILE as it is.
export const keep = (body) => writeFile(FILE, new Uint8Array(body));
