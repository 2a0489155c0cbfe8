// Speaks through OpenAI's npm package.
import OpenAI from "openai";
import { TEXT, URL, keep } from "./heard.mjs";

const client = new OpenAI({ baseURL: `${URL}/v1`, apiKey: "any" });
const answer = await client.audio.speech.create({ model: "glm-tts", voice: "exampleA", input: TEXT });
await keep(await answer.arrayBuffer());
