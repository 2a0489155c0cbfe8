// The takes in IndexedDB: they outlive the page, in this browser alone.

const STORE = "takes";

/** The newest takes are kept: so many, with so many bytes of audio, whichever is reached first. */
export const LIMIT = { takes: 50, bytes: 256 * 2 ** 20 };

/** The kept takes; rejects where the browser keeps nothing (some private windows). */
export async function openTakes() {
  const request = indexedDB.open("glm-tts-studio", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
  return new Takes(await result(request));
}

class Takes {
  #database;

  constructor(database) {
    this.#database = database;
    // A page with a newer version may change the database: this one lets go, and keeps nothing more.
    database.onversionchange = () => database.close();
  }

  /** Every take, by id. */
  all() {
    return result(this.#store("readonly").getAll());
  }

  /** Keeps a take; resolves to the ids of those that went for it. */
  async add(take) {
    const store = this.#store("readwrite");
    store.put(take);
    const gone = surplus(await result(store.getAll())).map(({ id }) => id);
    gone.forEach((id) => store.delete(id));
    await committed(store.transaction);
    return gone;
  }

  remove(id) {
    return result(this.#store("readwrite").delete(id));
  }

  clear() {
    return result(this.#store("readwrite").clear());
  }

  #store(mode) {
    return this.#database.transaction(STORE, mode).objectStore(STORE);
  }
}

function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("another page holds an older database"));
  });
}

function committed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

/** Newest first. */
export function newestFirst(takes) {
  return [...takes].sort((a, b) => b.createdAt - a.createdAt);
}

/** Those of `takes` that go so that the rest is within `limit`; the newest stays, however large it is. */
export function surplus(takes, limit = LIMIT) {
  let bytes = 0;
  const isSurplus = (take, index) => {
    bytes += take.audio.size;
    return index > 0 && (index >= limit.takes || bytes > limit.bytes);
  };
  return newestFirst(takes).filter(isSurplus);
}
