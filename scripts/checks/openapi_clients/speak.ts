// Speaks with the types that openapi-typescript generated: `node speak.js URL`, with api.d.ts in the same folder.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const client = createClient<paths>({ baseUrl: process.argv[2] });
const body: components["schemas"]["SpeechJson"] = { input_text: "你好。", index: "exampleA" };

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

const answer = await client.POST("/api/v1/tts", { body });
const spoken = answer.data as components["schemas"]["SpeechAnswer"]; // or a string, were it an audio format
check(spoken?.success === true, JSON.stringify(answer.error));
console.log(`  SpeechJson: ${spoken.message}`);

const audio = await client.POST("/api/v1/tts", {
  body: { ...body, response_format: "wav" },
  parseAs: "arrayBuffer",
});
const bytes = new Uint8Array(audio.data as unknown as ArrayBuffer);
check(String.fromCharCode(...bytes.subarray(0, 4)) === "RIFF", "the wav answer is no WAV file");

const refused = await client.POST("/api/v1/tts", { body: { ...body, index: "nobody" } });
check(refused.error?.code === "unknown_voice", JSON.stringify(refused.error));

const stats = await client.GET("/api/v1/stats/concurrency");
check((stats.data?.stats.short_text.total ?? 0) >= 2, "the requests are not counted");
