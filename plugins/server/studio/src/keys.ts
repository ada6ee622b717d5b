// The emotions over time: one from the beginning, and those set in at a time of their own.
import type { Emotions, Feeling } from "./emotion";

export interface Key {
  readonly id: number;
  at: number;
  feeling: Feeling;
}

const APART = 0.05; // seconds between two keys at least

export class Keys {
  list: Key[];
  selected: Key;
  onchange: (settled: boolean) => void = () => {};
  private count = 0;

  constructor(private readonly emotions: Emotions) {
    this.list = [{ id: this.count++, at: 0, feeling: emotions.neutral }];
    this.selected = this.list[0];
  }

  get first(): Key {
    return this.list[0];
  }

  before(seconds: number): Key {
    return this.list.reduce((a, b) => (b.at <= seconds && b.at >= a.at ? b : a));
  }

  select(key: Key): void {
    this.selected = key;
    this.onchange(false);
  }

  add(time: number): Key {
    const seconds = Math.round(time * 1000) / 1000;
    const near = this.list.find((key) => Math.abs(key.at - seconds) < APART);
    if (near) {
      this.select(near);
      return near;
    }
    const key = { id: this.count++, at: seconds, feeling: { ...this.before(seconds).feeling } };
    this.list.push(key);
    this.selected = key;
    this.sorted(true);
    return key;
  }

  // The first stays at the beginning; no two are at one time.
  move(key: Key, seconds: number, end: number, settled: boolean): void {
    if (key === this.first) return;
    const at = Math.min(Math.max(APART, seconds), Math.max(APART, end));
    const taken = this.list.some((other) => other !== key && Math.abs(other.at - at) < APART / 2);
    if (!taken) key.at = Math.round(at * 1000) / 1000;
    this.sorted(settled);
  }

  remove(key: Key): void {
    if (key === this.first) return;
    this.list = this.list.filter((other) => other !== key);
    this.selected = this.before(key.at);
    this.onchange(true);
  }

  feel(feeling: Feeling, settled: boolean): void {
    this.selected.feeling = feeling;
    this.onchange(settled);
  }

  private sorted(settled: boolean): void {
    this.list.sort((a, b) => a.at - b.at);
    this.onchange(settled);
  }

  // Of a stream, which knows no keys.
  get begins(): string | null {
    const { feeling } = this.first;
    return this.emotions.isNeutral(feeling) ? null : this.emotions.written(feeling);
  }

  // For the server. With nothing set, what the words or the voice say may have its way.
  written(): { emotion: string | null } | { track: { at: number; emotion: string }[] } {
    const { emotions, list } = this;
    if (list.length === 1) return { emotion: this.begins };
    return { track: list.map(({ at, feeling }) => ({ at, emotion: emotions.written(feeling) })) };
  }
}
