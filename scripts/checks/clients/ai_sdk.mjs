// Speaks through Vercel's AI SDK.
import { createOpenAI } from "@ai-sdk/openai";
import { experimental_generateSpeech as generateSpeech } from "ai";
import { TEXT, URL, keep } from "./heard.mjs";

const openai = createOpenAI({ baseURL: `${URL}/v1`, apiKey: "any" });
const { audio } = await generateSpeech({ model: openai.speech("glm-tts"), voice: "exampleA", text: TEXT });
await keep(audio.uint8Array);
