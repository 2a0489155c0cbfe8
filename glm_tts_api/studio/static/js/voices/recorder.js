// The microphone: hears from the moment that it is opened, keeps what it hears when it is told to.

import { joined } from "./samples.js";

const HEARD_AS_IT_IS = {
  channelCount: 1,
  echoCancellation: false, // each of these would change the voice
  noiseSuppression: false,
  autoGainControl: false,
};

/** Browsers give the microphone to pages over https, and on localhost. */
export const hasMicrophone = () => Boolean(navigator.mediaDevices?.getUserMedia);

/**
 * Asks the person for the microphone. `onBlock` gets each block of samples that it hears, kept or not.
 * Throws a DOMException: NotAllowedError if it was refused, NotFoundError if there is none.
 */
export async function openMicrophone(onBlock) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: HEARD_AS_IT_IS });
  const context = new AudioContext();
  let source = null; // held, so that it is not collected
  let kept = null;

  function close() {
    source?.disconnect();
    for (const track of stream.getTracks()) track.stop();
    if (context.state !== "closed") context.close();
  }

  try {
    await context.audioWorklet.addModule(new URL("./capture_worklet.js", import.meta.url));
    await context.resume();
    const capture = new AudioWorkletNode(context, "capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    capture.port.onmessage = ({ data }) => {
      kept?.push(data);
      onBlock(data);
    };
    source = context.createMediaStreamSource(stream);
    source.connect(capture);
  } catch (error) {
    close();
    throw error;
  }

  return {
    /** From now on. */
    keep() {
      kept = [];
    },
    /** How much is kept so far. */
    seconds: () => (kept ?? []).reduce((sum, block) => sum + block.length, 0) / context.sampleRate,
    /** Lets the microphone go; what was kept. */
    stop() {
      close();
      return { samples: joined(kept ?? []), sampleRate: context.sampleRate };
    },
  };
}
