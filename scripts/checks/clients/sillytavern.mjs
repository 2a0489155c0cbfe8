// Starts SillyTavern's server, and lets it speak by the provider "OpenAI Compatible", with the requests of its page.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { TEXT, URL as SPEECH_URL, keep } from "./heard.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function start() {
  await mkdir(here("data"), { recursive: true });
  const port = await freePort();
  const options = ["--dataRoot", here("data"), "--configPath", here("data/config.yaml"), "--port", port];
  const program = here("node_modules/sillytavern/server.js");
  const tavern = spawn("node", [program, ...options, "--browserLaunchEnabled", "false"], { stdio: "inherit" });
  const address = `http://127.0.0.1:${port}`;
  // The first start compiles the page.
  for (let tries = 0; tavern.exitCode === null && tries < 300; tries++, await sleep(1000))
    if (await fetch(address).catch(() => false)) return { tavern, address };
  tavern.kill();
  throw new Error("SillyTavern does not start.");
}

const { tavern, address } = await start();
try {
  const welcome = await fetch(`${address}/csrf-token`);
  const { token } = await welcome.json();
  const cookie = welcome.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  const answer = await fetch(`${address}/api/openai/custom/generate-voice`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token, Cookie: cookie },
    body: JSON.stringify({
      provider_endpoint: `${SPEECH_URL}/v1/audio/speech`,
      model: "glm-tts",
      input: TEXT,
      voice: "exampleA",
      response_format: "mp3",
      speed: 1,
    }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  await keep(await answer.arrayBuffer());
} finally {
  tavern.kill();
}
