// What is seen now: the head, the words below it, the time, the lanes. One loop draws all of it.
import { byId } from "./dom";
import type { Head } from "./head";
import type { Lanes } from "./lanes";
import { Follower } from "./microphone";
import type { Playback } from "./playback";
import type { Take } from "./take";

interface Closing {
  from: number;
  since: number;
}

export class Stage {
  ondraw: (seconds: number) => void = () => {};
  rest: (() => void) | null = null; // poses the head while there is no take
  private follower: Follower | null = null;
  private closing: Closing | null = null;
  private stale = true;
  private shown = -1;

  constructor(
    readonly head: Head,
    readonly lanes: Lanes,
    readonly playback: Playback,
  ) {
    const tick = (): void => {
      this.tick();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  changed(): void {
    this.stale = true;
  }

  follow(on: boolean): void {
    this.follower = on ? new Follower() : null;
    this.changed();
  }

  // After an interruption the last frames have no sound: they go by the browser's clock.
  close(from: number): void {
    this.closing = { from, since: performance.now() };
  }

  open(): void {
    this.closing = null;
  }

  get take(): Take {
    return this.lanes.take;
  }

  private now(): number {
    const end = this.take.rows / this.take.fps;
    if (this.follower) return this.follower.now(end);
    if (this.closing) {
      const at = Math.min(end, this.closing.from + (performance.now() - this.closing.since) / 1000);
      this.playback.at = at;
      if (at >= end) this.closing = null;
      return at;
    }
    return this.playback.now();
  }

  private tick(): void {
    const at = this.now();
    const moving = at !== this.shown;
    if (moving || this.stale) {
      this.shown = at;
      this.stale = false;
      const editing = document.body.classList.contains("presets"); // which poses the head itself
      if (this.take.rows && !editing) this.head.pose(this.take.rig, this.take.face(at));
      else if (!editing) this.rest?.();
      if (!editing) this.lanes.draw(at, this.playback.playing);
      byId("word").textContent = this.take.word(at);
      byId("time").textContent = `${at.toFixed(2)} / ${this.take.seconds.toFixed(2)} s`;
      if (moving) this.ondraw(at);
    }
    this.head.draw();
  }
}
