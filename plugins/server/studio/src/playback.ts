// Plays a take, also one that is still growing; what is heard is the clock the face is drawn by.
import { Clock } from "@player/clock.js";
import type { Take } from "./take";

const LEAD = 0.05; // seconds before the first sample, so that it is not late
const AHEAD = 0.35; // seconds that are there before a growing take begins or goes on

export class Playback extends Clock {
  waiting = false; // for more of a growing take
  onchange: () => void = () => {};
  onloop: () => void = () => {};
  private playable: Take | null = null;
  private sources: AudioBufferSourceNode[] = [];
  private queued = 0; // samples of the take that are with the device

  constructor() {
    super(new ArrayBuffer(0), 0);
    this.onend = () => this.onchange();
  }

  get take(): Take | null {
    return this.playable;
  }

  // Goes on where it is, in another take of the same speech.
  swap(take: Take): void {
    const playing = this.playing || this.waiting;
    const at = this.playing ? this.now() : this.at;
    this.halt();
    this.playable = take;
    this.seconds = take.complete ? take.seconds : Infinity;
    this.at = Math.min(at, take.complete ? take.seconds : at);
    if (playing) void this.play();
    this.onchange();
  }

  // From the beginning, as soon as enough is there.
  start(take: Take): void {
    this.halt();
    this.at = 0;
    this.playable = take;
    this.seconds = Infinity;
    this.waiting = true;
    this.grown();
  }

  halt(): void {
    const waited = this.waiting;
    this.waiting = false;
    this.pause();
    if (waited) this.onchange();
  }

  // To be called in a click: a browser opens the sound device only then.
  async wake(rate: number): Promise<void> {
    if (this.context && this.context.sampleRate !== rate) {
      void this.context.close();
      this.context = undefined;
    }
    if (!this.context) {
      // at the take's own rate, pieces join without a seam
      this.context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
      this.volume = this.context.createGain();
      this.volume.connect(this.context.destination);
    }
    if (this.context.state !== "running") await this.context.resume();
  }

  override async ready(): Promise<void> {
    await this.wake(this.playable?.rate ?? 48000);
  }

  override async play(): Promise<void> {
    await super.play();
    this.waiting = false;
    this.onchange();
  }

  override begin(): void {
    const { context, playable } = this;
    if (!context || !playable) return;
    this.from = Math.round(this.at * playable.rate) / playable.rate;
    this.began = Math.ceil((context.currentTime + LEAD) * playable.rate) / playable.rate;
    this.queued = Math.round(this.from * playable.rate);
    this.queue();
  }

  private queue(): void {
    const { context, playable } = this;
    if (!context || !playable) return;
    const samples = playable.samples.slice(this.queued);
    if (!samples.length) return;
    const buffer = context.createBuffer(1, samples.length, playable.rate);
    buffer.copyToChannel(samples, 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.playbackRate.value = this.rate;
    source.connect(this.volume);
    source.start(this.began + (this.queued / playable.rate - this.from) / this.rate);
    source.onended = () => {
      this.sources = this.sources.filter((other) => other !== source);
    };
    this.sources.push(source);
    this.queued += samples.length;
  }

  override stop(): void {
    for (const source of this.sources) {
      source.onended = null;
      source.stop();
      source.disconnect();
    }
    this.sources = [];
  }

  override pause(): void {
    const was = this.playing;
    super.pause();
    if (was) this.onchange();
  }

  // More of the take has come, or it is whole.
  grown(): void {
    const { playable } = this;
    if (!playable) return;
    if (playable.complete) this.seconds = playable.seconds;
    if (this.playing) this.queue();
    else if (this.waiting && (playable.complete || playable.ready > this.at + AHEAD)) void this.play();
  }

  override now(): number {
    const { began, playable } = this;
    const at = super.now();
    if (this.playing && this.began !== began) {
      this.onloop();
      return this.playing ? this.from : this.at;
    }
    if (!this.playing || !playable || playable.complete || at < playable.ready) return at;
    this.stop();
    this.playing = false;
    this.waiting = true;
    this.at = playable.ready;
    return this.at;
  }
}
