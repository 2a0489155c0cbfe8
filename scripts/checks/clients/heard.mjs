// What every client here says and keeps: `node CLIENT.mjs URL FILE`, with its packages beside it.
import { writeFile } from "node:fs/promises";

export const TEXT = "Hello, this is a test of the speech server. 你好。";
export const [URL, FILE] = process.argv.slice(2);

// A whole body, as it came.
export const keep = (body) => writeFile(FILE, new Uint8Array(body));
