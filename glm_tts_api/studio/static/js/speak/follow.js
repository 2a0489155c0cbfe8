// How far the server is with a request of ours, by the id that we gave it.

const EVERY_MS = 600;

/**
 * Asks until the signal is aborted, and tells `onNews` what the server lists of that request. With several
 * workers another one may answer, which does not know it: then there is no news.
 */
export async function follow(requestId, { api, signal, onNews }) {
  while (!signal.aborted) {
    const stats = await api.stats({ signal }).catch(() => null);
    const listed = stats?.active.find((request) => request.request_id === requestId);
    if (listed && !signal.aborted) onNews(listed);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

/** The same of a request that has ended; null if the worker that answers does not know it. */
export async function lookBack(requestId, { api }) {
  const stats = await api.stats().catch(() => null);
  return stats?.recent?.find((request) => request.request_id === requestId) ?? null;
}
