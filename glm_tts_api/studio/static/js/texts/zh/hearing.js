// 识别器听到的内容。

export default {
  "hearing.verify": "用语音识别校验",
  "hearing.verify.hint": "服务器上的识别器听写语音并与文本比较。有声书中与文本不符的片段会重新合成。",
  "hearing.ok": "听到的与文本一致。",
  "hearing.drift": "第 {n} 段应为“{said}”，听到的是“{heard}”。",
  "hearing.inconclusive": "第 {n} 段应为“{said}”，识别器没有把握，听写为“{heard}”。",
};
