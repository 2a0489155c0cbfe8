// 识别器听到的内容。

export default {
  "hearing.ok": "听到的与文本一致。",
  "hearing.drift": "第 {n} 段应为“{said}”，听到的是“{heard}”。",
  "hearing.inconclusive": "第 {n} 段应为“{said}”，识别器没有把握，听写为“{heard}”。",
};
