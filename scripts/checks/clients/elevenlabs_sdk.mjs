// Speaks through ElevenLabs' npm package: as a whole answer if FILE is a WAV file, else as a stream. The package sends
// the API key in its own header.
import { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
import { FILE, TEXT, URL, keep } from "./heard.mjs";

const client = new ElevenLabsClient({ baseUrl: URL, apiKey: "any" });
const { voices } = await client.voices.search({ search: "example" });
if (!voices.some((voice) => voice.voiceId === "exampleA")) throw new Error(JSON.stringify(voices));
const isWhole = FILE.endsWith(".wav");
const said = isWhole
  ? await client.textToSpeech.convert("exampleA", { text: TEXT, outputFormat: "wav_22050" })
  : await client.textToSpeech.stream("exampleA", { text: TEXT, outputFormat: "mp3_22050_32" });
await keep(await new Response(said).arrayBuffer());
