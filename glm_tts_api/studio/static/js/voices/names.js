// Names of voices, as the server takes them. Pure.

const MOST = 64;

/** `wanted` in letters that a name may have, with a number if it is taken. */
export function freeName(wanted, taken) {
  const plain = wanted.normalize("NFKD").replace(/\p{M}/gu, "");
  const base =
    plain
      .replace(/[^A-Za-z0-9_-]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, MOST - 4) || "my-voice";
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (!taken.includes(name)) return name;
  }
}
