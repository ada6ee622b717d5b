// One performance: frames, sound, words and emotion, whole or still growing.
import type { Animated, MarkSaid } from "./types";
import { bytes, readWav } from "./wav";

type Lane = [kind: string, text: string, start: number, end: number];

// Room for twice as much whenever it is full, so that growing costs little.
class Growing {
  data = new Float32Array(4096);
  length = 0;

  put(at: number, values: Float32Array): void {
    const end = at + values.length;
    if (end > this.data.length) {
      const more = new Float32Array(Math.max(end, 2 * this.data.length));
      more.set(this.data);
      this.data = more;
    }
    this.data.set(values, at);
    this.length = Math.max(this.length, end);
  }

  all(): Float32Array {
    return this.data.subarray(0, this.length);
  }
}

export class Take {
  readonly about = { marks: [] as Lane[], labels: [] as string[] };
  complete = false;
  private readonly frames = new Growing();
  private readonly feelings = new Growing();
  private readonly sound = new Growing();

  constructor(
    readonly rig: string[],
    readonly fps: number,
    public rate: number,
  ) {}

  static of(made: Animated): Take {
    const { samples, rate } = readWav(bytes(made.audio));
    const take = new Take(made.rig.channels, made.fps, rate);
    made.frames.forEach((row, k) => take.addFrames(k, Float32Array.from(row), made.vad.slice(k, k + 1)));
    take.addSound(0, samples);
    take.addMarks(made.marks, 1);
    take.complete = true;
    return take;
  }

  addFrames(start: number, values: Float32Array, vad: number[][]): void {
    this.frames.put(start * this.rig.length, values);
    this.feelings.put(start * 3, Float32Array.from(vad.flat()));
  }

  addSound(sample: number, samples: Float32Array): void {
    this.sound.put(sample, samples);
  }

  addMarks(marks: MarkSaid[], perSecond: number): void {
    for (const { kind, text, start, end } of marks) {
      this.about.marks.push([kind, text, start / perSecond, end / perSecond]);
    }
  }

  // After an interruption nothing later is known.
  cut(seconds: number): void {
    this.frames.length = Math.min(this.frames.length, Math.ceil(seconds * this.fps) * this.rig.length);
    this.sound.length = Math.min(this.sound.length, Math.ceil(seconds * this.rate));
    this.about.marks = this.about.marks.filter(([, , start]) => start < seconds);
  }

  get rows(): number {
    return this.rig.length ? Math.floor(this.frames.length / this.rig.length) : 0;
  }

  get samples(): Float32Array {
    return this.sound.all();
  }

  get seconds(): number {
    return Math.max(this.rows / this.fps, this.sound.length / this.rate);
  }

  // How far both face and sound are there.
  get ready(): number {
    return this.complete ? this.seconds : Math.min(this.rows / this.fps, this.sound.length / this.rate);
  }

  vad(row: number): Float32Array {
    return this.feelings.data.subarray(3 * row, 3 * row + 3);
  }

  // The face at a time: between two frames a straight line, as where a run is resampled.
  face(seconds: number): Float32Array {
    const width = this.rig.length;
    const out = new Float32Array(width);
    if (!this.rows) return out;
    const at = Math.min(Math.max(0, seconds * this.fps), this.rows - 1);
    const row = Math.floor(at);
    const next = Math.min(row + 1, this.rows - 1);
    const { data } = this.frames;
    for (let i = 0; i < width; i++) {
      const value = data[row * width + i];
      out[i] = value + (at - row) * (data[next * width + i] - value);
    }
    return out;
  }

  word(seconds: number): string {
    const found = this.about.marks.find(([kind, , start, end]) => kind === "word" && start <= seconds && seconds < end);
    return found ? found[1] : "";
  }
}
