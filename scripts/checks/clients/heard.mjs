// What every client here says and keeps: `node CLIENT.mjs URL FILE`, with its packages beside it.
import { writeFile } from "node:fs/promises";

export const TEXT = "你好，欢迎使用语音合成服务。";
export const [URL, FILE] = process.argv.slice(2);

// A whole body, as it came.
export const keep = (body) => writeFile(FILE, new Uint8Array(body));
