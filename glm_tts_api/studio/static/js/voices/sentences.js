// What to read aloud: each some six seconds long, with many of its language's sounds.

const SENTENCES = {
  zh: [
    "清晨的阳光照进厨房，我泡了一壶热茶，慢慢翻开昨晚没有读完的那本书。",
    "周末我们坐火车去了海边，孩子们在沙滩上追着浪花跑，笑声传得很远。",
    "请把窗户打开一点，雨已经停了，空气里有青草和泥土的味道。",
  ],
  en: [
    "The early train was almost empty, so I took a seat by the window and watched the quiet fields go by.",
    "She poured two cups of coffee, opened the garden door, and asked me how the journey had been.",
    "After the rain stopped, the whole street smelled of fresh bread, wet leaves and a little smoke.",
  ],
};

/** The sentence number `turn` in `language` (zh or en); they come round. */
export function sentence(language, turn) {
  const all = SENTENCES[language];
  return all[turn % all.length];
}
