// The performance: where it comes from, how it is made anew, and what is played.
import * as api from "./api";
import { button, byId } from "./dom";
import type { Emotions } from "./emotion";
import type { Wanted } from "./exports";
import type { Keys } from "./keys";
import { Live, type Events } from "./live";
import { Microphone } from "./microphone";
import { doing, hush, tell, type Doing } from "./notice";
import type { Controls } from "./controls";
import type { Stage } from "./stage";
import { Take } from "./take";
import type { Options } from "./types";
import { writeWav } from "./wav";

const SETTLED = 350; // milliseconds without a change, then it is animated anew
const REPORT = 100; // milliseconds between two reports of the position

export class Studio {
  private source: api.Source | null = null;
  private live: Live | null = null;
  private microphone: Microphone | null = null;
  private pending: Take | null = null; // made anew, shown when nothing plays
  private abort: AbortController | null = null;
  private timer = 0;
  private reported = 0;

  constructor(
    private readonly stage: Stage,
    private readonly keys: Keys,
    private readonly emotions: Emotions,
    private readonly controls: Controls,
  ) {
    stage.playback.onchange = () => this.buttons();
    stage.playback.onloop = () => this.looped();
    stage.ondraw = (seconds) => this.report(seconds);
    this.state("idle", "none");
  }

  private state(what: Doing, take?: "none" | "live" | "old" | "whole" | "cut"): void {
    doing(what);
    if (take) document.body.dataset.take = take;
    button("interrupt").disabled = !this.live || this.microphone !== null;
    button("record").classList.toggle("on", this.microphone !== null);
    byId("record-text").textContent = this.microphone ? "Stop" : "Record";
  }

  private options(): Options {
    const whole = this.controls.options();
    // the five set by hand take the place of the emotions above
    return { ...whole, ...(whole.mead ? {} : this.keys.written()) };
  }

  wanted(): Wanted | null {
    const { source } = this;
    if (!source) return null;
    const name = source.kind === "text" ? source.text : source.name.replace(/\.[^.]*$/, "");
    const short = name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40).replace(/^-|-$/g, "");
    return { source, options: this.options(), name: short || "take" };
  }

  // Stops whatever is going on, and forgets what was to come.
  private quiet(): void {
    this.abort?.abort();
    clearTimeout(this.timer);
    this.live?.close();
    this.live = null;
    this.pending = null;
    this.microphone?.close();
    this.microphone = null;
    this.stage.follow(false);
    this.stage.open();
    this.stage.playback.halt();
    hush();
  }

  async speak(text: string): Promise<void> {
    // what is going on goes on if there is nothing to say
    if (!text) return tell("Write something to say first.");
    if (!this.controls.speaks) return tell("This profile has no voice. Choose another, or use a recording.");
    this.quiet();
    this.source = { kind: "text", text };
    const live = new Live(this.spoken(() => this.live === live));
    this.live = live;
    this.state("thinking", "live");
    try {
      await live.text(text, this.options(), this.keys.begins);
    } catch (error) {
      tell(error);
      this.live = null;
      void this.animate();
    }
  }

  private spoken(mine: () => boolean): Events {
    const { playback, lanes } = this.stage;
    let begun = false;
    return {
      // once it is heard, what is heard says more than what the server is at
      state: (state) => mine() && !begun && this.state(state === "listening" ? "thinking" : state),
      grown: (take) => {
        if (!mine()) return;
        lanes.show(take);
        if (begun) playback.grown();
        else playback.start(take);
        begun = true;
      },
      ended: (take) => {
        if (!mine()) return;
        lanes.show(take);
        playback.grown();
        void this.animate();
      },
      closing: (take) => {
        if (!mine()) return;
        take.complete = true;
        lanes.show(take);
        this.stage.close(playback.at);
        playback.swap(take);
        this.live?.close();
        this.live = null;
        this.state("listening", "cut");
      },
      failed: (why) => {
        if (!mine()) return;
        this.live = null;
        tell(why);
        this.state("idle", playback.take ? "cut" : "none");
        playback.grown();
      },
    };
  }

  interrupt(): void {
    const { live } = this;
    if (this.microphone) return void this.record();
    this.abort?.abort();
    clearTimeout(this.timer);
    this.pending = null;
    if (!live?.take) {
      this.quiet();
      return this.state("idle");
    }
    const { playback } = this.stage;
    live.interrupted = true;
    playback.halt();
    live.interrupt(playback.at);
    this.state("listening");
  }

  async use(sound: Blob, name: string): Promise<void> {
    this.quiet();
    this.source = { kind: "audio", sound, name };
    this.stage.playback.at = 0;
    byId("source").textContent = name;
    await this.animate();
  }

  async record(): Promise<void> {
    if (this.microphone) return this.recorded(this.microphone);
    this.quiet();
    this.state("thinking");
    let microphone: Microphone | null = null;
    try {
      microphone = await Microphone.open();
      const live = new Live(this.heard(() => this.live === live));
      this.live = live;
      await live.microphone(microphone.rate, this.options(), this.keys.begins);
      if (this.live !== live) throw new DOMException("", "AbortError");
      this.microphone = microphone;
      microphone.onsound = (pcm) => this.live?.sound(pcm);
      this.stage.follow(true);
      this.state("recording", "live");
    } catch (error) {
      microphone?.close();
      this.live = null;
      tell(error);
      this.state("idle");
    }
  }

  private heard(mine: () => boolean): Events {
    return {
      state: () => {},
      grown: (take) => mine() && this.stage.lanes.show(take),
      ended: () => {},
      closing: () => {},
      failed: (why) => {
        if (!mine()) return;
        if (this.microphone) this.recorded(this.microphone);
        tell(why);
      },
    };
  }

  private recorded(microphone: Microphone): void {
    const { rate } = microphone;
    const samples = microphone.close();
    this.microphone = null;
    if (this.live?.take) this.live.take.complete = true;
    this.quiet();
    if (samples.length) void this.use(writeWav(samples, rate), "recording.wav");
    else this.state("idle");
  }

  // A change of the emotion, or of what holds for the whole.
  edited(settled: boolean): void {
    this.stage.lanes.changed();
    this.stage.changed();
    const { feeling } = this.keys.selected;
    if (this.live && !this.live.take?.complete) this.live.feel(feeling, this.emotions.written(feeling));
    else if (settled && this.source) {
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.animate(), SETTLED);
    }
  }

  private async animate(): Promise<void> {
    const { source } = this;
    if (!source || this.microphone) return;
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    document.body.classList.add("busy");
    if (!this.live) this.state("animating", "old");
    try {
      const take = Take.of(await api.animate(source, this.options(), abort.signal));
      if (abort.signal.aborted) return;
      this.pending = take;
      hush();
      this.buttons();
    } catch (error) {
      tell(error);
      if (!abort.signal.aborted && !this.live) this.state("idle");
    } finally {
      if (this.abort === abort) document.body.classList.remove("busy");
    }
  }

  // What was made anew takes over: the same speech, so the place in it stays.
  private renew(): void {
    const take = this.pending;
    if (!take) return;
    this.pending = null;
    this.stage.lanes.show(take);
    this.stage.playback.swap(take);
    this.stage.changed();
    this.state(this.stage.playback.playing ? "playing" : "idle", "whole");
  }

  // The beginning is as good a moment as the end.
  private looped(): void {
    if (this.live?.take?.complete) {
      this.live.close();
      this.live = null;
    }
    this.renew();
  }

  private report(seconds: number): void {
    if (!this.live || this.live.interrupted || performance.now() - this.reported < REPORT) return;
    this.reported = performance.now();
    this.live.at(seconds);
  }

  private buttons(): void {
    const { playback } = this.stage;
    const { playing, waiting } = playback;
    button("play").setAttribute("aria-pressed", String(playing || waiting));
    button("play").setAttribute("aria-label", playing || waiting ? "Pause" : "Play");
    this.stage.changed();
    if (playing && this.live) return this.state("speaking");
    if (playing && !this.pending) return this.state("playing");
    if (waiting || this.microphone || document.body.dataset.state === "thinking") return;
    if (this.live?.take?.complete && !this.live.interrupted) {
      this.live.close();
      this.live = null;
    }
    if (this.live) return;
    if (this.pending) this.renew();
    else if (document.body.dataset.take !== "old") this.state("idle");
    else this.state("animating");
  }

  toggle(text: string): void {
    const { playback } = this.stage;
    if (playback.playing || playback.waiting) playback.halt();
    else if (playback.take) playback.play().catch(tell);
    else void this.speak(text);
  }

  seek(seconds: number): void {
    this.stage.playback.seek(seconds);
    this.stage.changed();
  }

  // To the beginning of a frame, so that stepping shows each one.
  step(frames: number): void {
    const { playback, take } = this.stage;
    playback.pause();
    const row = Math.round(playback.now() * take.fps) + frames;
    this.seek(Math.max(0, Math.min(row, take.rows - 1)) / take.fps);
  }
}
