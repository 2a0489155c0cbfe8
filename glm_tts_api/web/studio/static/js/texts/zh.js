// 中文。按部分分组。

export default {
  // 页面
  "page.skip": "跳到正文",
  "page.home": "GLM-TTS 工作室",
  "page.nav": "页面",
  "page.docs": "接口文档",
  "page.other": "English",
  "theme.auto": "配色：跟随系统",
  "theme.light": "配色：浅色",
  "theme.dark": "配色：深色",

  // 错误
  "error.unreachable": "连不上服务器。请确认服务已启动，再试一次。",
  "error.unauthorized": "这台服务器需要密钥。请在页面顶部填写后再试。",
  "error.queue_full": "现在排队的人有点多。",
  "error.loading": "模型还在加载。",
  "error.draining": "服务器即将重启。",
  "error.replica_lost": "负责合成的那台机器掉线了。",
  "error.deadline_passed": "超过了服务器允许的时长。请缩短文字，或稍后再试。",
  "error.text_too_long": "文字超出了服务器的上限。请缩短，或分几次合成。",
  "error.nothing_to_say": "这段文字里没有能读出来的内容，请写几个字。",
  "error.unknown_voice": "这个音色已经不在了，请换一个。",
  "error.recording_missing": "这个音色的录音丢失了。请换一个音色，或重新录制。",
  "error.internal": "服务器出错了。请再试一次；如果一直这样，请查看服务器日志。",
  "error.cut": "声音中断了，已收到的部分会保留。",
  "error.other": "{message}",

  // 朗读
  "speak.title": "想说点什么？",
  "speak.placeholder": "写下或粘贴文字，中文、英文、中英混排都可以。",
  "speak.samples": "示例",
  "speak.button": "朗读",
  "speak.stop": "停止",
  "speak.chars": ({ n }) => `${n.toLocaleString("zh")} 字`,
  "speak.shortLane": "短文本通道",
  "speak.longLane": "长文本通道",
  "speak.about": "约 {duration}",
  "time.seconds": "{n} 秒",
  "time.minutes": "{n} 分 {seconds} 秒",
  "sample.greeting": "问候",
  "sample.greeting.text": "晚上好，很高兴又收到你的消息。",
  "sample.numbers": "数字",
  "sample.numbers.text": "2026年5月3日9:45，价格下跌12.5%，只要￥39.8元，预计3-5天送到。",
  "sample.mixed": "中英混排",
  "sample.mixed.text": "今天我们来聊聊 machine learning，一共分3讲。",
  "progress.starting": "正在开始……",
  "progress.inLine": ({ n }) => (n === 1 ? "排队中：下一个就是你" : `排队中：前面还有 ${n - 1} 个`),
  "progress.speaking": "正在朗读……",
  "progress.segment": "第 {segment} 段，共 {segments} 段",
  "progress.retry": "{n} 秒后自动重试。",
  "progress.done": "共 {seconds} 秒，{first} 秒后开始出声",
  "progress.stopped": "已停止",

  // 播放器
  "player.title": "播放器",
  "player.empty": "声音会边生成边出现在这里。",
  "player.picture": "图示",
  "player.lines": "正在读的内容",
  "player.play": "播放",
  "player.pause": "暂停",
  "player.seek": "播放位置",
  "player.position": "{at}，共 {of}",
  "player.waveform": "波形",
  "player.spectrogram": "频谱",

  // 读法
  "reading.title": "会这样读",
  "reading.empty": "这里会显示读法：分成哪几段，数字读成什么。",
  "reading.pause": "停顿 {seconds} 秒",
  "reading.speed": "语速 {speed}",
  "reading.dropped": "不读",

  // 音色
  "voices.title": "音色",

  // 选项
  "control.title": "选项",

  // 作品
  "takes.title": "作品",

  // 服务器
  "see.title": "服务器",
};
