// 指定读音的面板里的中文文字。

export default {
  "control.wordIsSaid": "“{word}”怎么读？声调写在每个音节后面。",
  "control.englishIsSaid": "“{word}”怎么读？按读音拼写，例如 nginx 写成 engine x。",
  "control.noWord": "把光标放进一个词里，或选中一个词，再按一次“指定读音”。",
  "control.apply": "应用",
  "control.unmark": "恢复默认读音",
  "control.cancel": "取消",
};
