// The sound, and the one clock of the page: where in the take the listener is.

export class Clock {
  constructor(audio, seconds) {
    this.seconds = seconds;
    this.rate = 1;
    this.loop = false;
    this.playing = false;
    this.at = 0; // seconds, while nothing plays
    this.encoded = audio;
    this.onend = () => {};
  }

  // A browser lets sound begin only after the user did something: so the device opens on play.
  async ready() {
    if (!this.context) {
      this.context = new AudioContext({ latencyHint: "interactive" });
      this.volume = this.context.createGain();
      this.volume.connect(this.context.destination);
      this.buffer = await this.context.decodeAudioData(this.encoded.slice(0));
    }
    if (this.context.state !== "running") await this.context.resume();
  }

  // For the waveform, without a device.
  async samples() {
    const { encoded } = this;
    return (await new OfflineAudioContext(1, 1, 48000).decodeAudioData(encoded.slice(0))).getChannelData(0);
  }

  async play() {
    if (this.playing || this.starting) return;
    this.starting = true;
    try {
      await this.ready();
    } finally {
      this.starting = false;
    }
    if (this.at >= this.seconds - 1e-3) this.at = 0;
    this.playing = true;
    this.begin();
  }

  begin() {
    const lead = 0.03; // so that the first sample is not late
    this.from = this.at;
    this.began = this.context.currentTime + lead;
    this.source = this.context.createBufferSource();
    this.source.buffer = this.buffer;
    this.source.playbackRate.value = this.rate;
    this.source.connect(this.volume);
    this.source.start(this.began, Math.min(this.from, this.buffer.duration));
  }

  stop() {
    if (this.source) {
      this.source.disconnect();
      this.source.stop();
      this.source = null;
    }
  }

  pause() {
    if (!this.playing) return;
    this.at = this.now();
    this.playing = false;
    this.stop();
  }

  // What is heard now: the device's own time stamp, so that its delay is no delay of the face.
  heard() {
    const stamp = this.context.getOutputTimestamp?.();
    if (stamp && stamp.contextTime > 0) {
      return stamp.contextTime + Math.max(0, performance.now() - stamp.performanceTime) / 1000;
    }
    return this.context.currentTime - (this.context.outputLatency || 0);
  }

  now() {
    if (!this.playing) return this.at;
    const passed = Math.max(0, this.heard() - this.began) * this.rate;
    const at = this.from + passed;
    if (at < this.seconds) return at;
    this.stop();
    if (this.loop) {
      this.at = 0;
      this.begin();
      return 0;
    }
    this.playing = false;
    this.at = this.seconds;
    this.onend();
    return this.seconds;
  }

  seek(seconds) {
    this.at = Math.min(Math.max(0, seconds), this.seconds);
    if (this.playing) {
      this.stop();
      this.begin();
    }
  }

  speed(rate) {
    const at = this.now();
    this.rate = rate;
    this.seek(at);
  }
}
