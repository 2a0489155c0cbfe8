// What the server is and does, asked for while somebody looks: this part keeps the store's `health` and `stats`.

import { byId } from "../dom.js";
import { GOING } from "../speak/speaking.js";
import { mountAbout } from "./about.js";
import { mountGauges } from "./gauges.js";
import { mountKey } from "./key.js";
import { poll } from "./polling.js";
import { mountStages } from "./stages.js";
import { mountStatus } from "./status.js";

const BUSY_MS = 1000;
const IDLE_MS = 5000;
const LOST_MS = 10_000;
const UNREACHABLE = { status: "unreachable", warnings: [] };

export function mountSee({ store, api }) {
  mountStatus(byId("status"), { store });
  mountGauges(byId("gauges"), { store });
  mountStages(byId("stages"), { store });
  mountAbout(byId("about"), { store });
  const askNow = poll(() => look(store, api));
  mountKey(byId("key"), { store, api, onChange: askNow });
  store.on("speaking", ({ utterance, state }) => {
    if (utterance && !GOING.includes(state)) askNow();
  });
}

/** Returns after how many milliseconds to look again. */
async function look(store, api) {
  try {
    const health = await api.health();
    store.set({ health });
    const stats = await api.stats();
    store.set({ stats, needsKey: false });
    return health.model_loaded && !isBusy(stats) ? IDLE_MS : BUSY_MS;
  } catch (error) {
    if (error.status === 0) store.set({ health: UNREACHABLE });
    store.set({ stats: null }); // what it was is not what it is
    return LOST_MS;
  }
}

function isBusy({ stats }) {
  return Object.values(stats).some((lane) => lane.active || lane.waiting);
}
