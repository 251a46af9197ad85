// The player: one sound at a time.

const player = {
  context: null,
  source: null,
  /** Play samples at a rate in Hz, instead of what plays now; `ended` is called when they have been heard. */
  play(samples, rate, ended) {
    this.stop();
    this.context ??= new AudioContext();
    if (this.context.state === "suspended") this.context.resume();
    const buffer = this.context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    source.onended = () => {
      if (this.source === source) this.source = null;
      ended();
    };
    this.source = source;
    source.start();
  },
  stop() {
    this.source?.stop();
    this.source = null;
  },
};
