// What runs in the page before its own scripts, and listens at the end of its audio graph.

/**
 * Leaves `window.watched`: heardAt and heardUntil (ms since the page began, of the first and the latest sample that
 * is not silence); state (of the AudioContext that was made last); sources and mostSources (pieces of sound that are
 * in the graph now, and were at most). What the Content-Security-Policy refuses becomes an error of the console. To be
 * handed to evaluateOnNewDocument: it may use nothing from around it.
 */
export function watchPage() {
  const watched = { heardAt: null, heardUntil: null, state: null, sources: 0, mostSources: 0 };
  window.watched = watched;
  performance.setResourceTimingBufferSize(10_000); // questions for progress would fill the usual 250
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    console.error(`refused by ${effectiveDirective}: ${blockedURI}`);
  });

  const taps = new Map();
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) connect.call(this, tapOf(target.context));
    return connect.call(this, target, ...rest);
  };

  function tapOf(context) {
    if (!taps.has(context)) {
      const tap = context.createAnalyser();
      const samples = new Float32Array(tap.fftSize);
      taps.set(context, tap);
      context.addEventListener("statechange", () => (watched.state = context.state));
      setInterval(() => {
        tap.getFloatTimeDomainData(samples);
        if (context.state !== "running" || !samples.some((sample) => Math.abs(sample) > 0.01)) return;
        watched.heardAt ??= performance.now();
        watched.heardUntil = performance.now();
      }, 10);
    }
    return taps.get(context);
  }

  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...when) {
    watched.sources += 1;
    watched.mostSources = Math.max(watched.mostSources, watched.sources);
    this.addEventListener("ended", () => (watched.sources -= 1));
    return start.apply(this, when);
  };
}
