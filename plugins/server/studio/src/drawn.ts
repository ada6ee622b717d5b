// The lanes as they are painted: the preview's timeline, with the emotion as a lane of its own.
import { Timeline } from "@player/timeline.js";
import type { Emotions } from "./emotion";
import type { Keys } from "./keys";
import { Take } from "./take";
import type { Vad } from "./types";

export const PAD = 5;
export const HEIGHTS = { wave: 46, words: 19, phones: 16, emotion: 46 } as const;
export const LEFT = 116; // as the preview's timeline has it
const NAMES = { wave: "sound", words: "words", phones: "phones", emotion: "emotion" } as const;
const CURVES = [[], [4, 3], [1, 3]]; // valence, arousal, dominance

export class Drawn extends Timeline {
  constructor(
    canvas: HTMLCanvasElement,
    private readonly keys: Keys,
    private readonly emotions: Emotions,
  ) {
    super(canvas, new Take([], 60, 48000), []);
  }

  override resize(): void {
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    this.width = this.canvas.clientWidth;
    this.height = Object.values(HEIGHTS).reduce((sum, lane) => sum + lane + PAD, PAD);
    this.canvas.style.height = `${this.height}px`;
    const [w, h] = [Math.round(this.width * this.ratio), Math.round(this.height * this.ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
  }

  override paint(): void {
    const names = ["ink", "soft", "line", "wave", "lane", "mark", "head"];
    this.ink = Object.fromEntries(names.map((name) => [name, this.color(`--${name}`)]));
    let top = PAD;
    for (const lane of ["wave", "words", "phones", "emotion"] as const) {
      const height = HEIGHTS[lane];
      this.pen.fillStyle = this.ink.lane;
      this.pen.fillRect(LEFT, top, this.width - LEFT - PAD, height);
      this.name(NAMES[lane], top + Math.min(16, height - 4));
      this.pen.save();
      this.pen.beginPath();
      this.pen.rect(LEFT, top, this.width - LEFT - PAD, height);
      this.pen.clip();
      this[lane](top, height);
      this.pen.restore();
      top += height + PAD;
    }
  }

  emotion(top: number, height: number): void {
    const take = this.take as Take;
    if (take.rows) this.felt(take, top, height);
    else return this.wished(top, height);
    CURVES.forEach((dash, axis) =>
      this.curve((row) => take.vad(row)[axis], 0, 1, top, height, this.ink.soft, dash),
    );
  }

  // What the face was given: the colour is the nearest name's, the stronger the further from neutral.
  private felt(take: Take, top: number, height: number): void {
    const rest = this.emotions.vocabulary.neutral;
    for (let x = LEFT; x < this.width - PAD; x += 2) {
      const row = Math.floor(this.seconds(x) * take.fps);
      if (row < 0 || row >= take.rows) continue;
      const vad = [...take.vad(row)] as Vad;
      const far = Math.hypot(...vad.map((value, i) => value - rest[i]));
      this.pen.fillStyle = this.emotions.color({ name: null, amount: 100, vad }, Math.min(0.32, 0.1 + 0.5 * far));
      this.pen.fillRect(x, top, 2, height);
    }
  }

  private wished(top: number, height: number): void {
    this.pen.fillStyle = this.emotions.color(this.keys.first.feeling, 0.28);
    this.pen.fillRect(LEFT, top, this.width - LEFT - PAD, height);
  }
}
