// An emotion as the pad has it: a name and how much of it, or a place of its own.
import { clamp, two } from "./dom";
import type { Named, Vad, Vocabulary } from "./types";

export interface Feeling {
  name: string | null;
  amount: number; // percent of the way from neutral, of a named one
  vad: Vad; // of the name in full, or the place itself
}

// What people expect; those without one are drawn in the colour of their label.
const HUES: Record<string, number> = {
  joy: 46, anger: 4, sadness: 218, surprise: 28, fear: 275, disgust: 95, contempt: 310, gratitude: 150, apology: 240,
  sulk: 196, embarrassment: 345, pride: 62, love: 330, excitement: 17, anxiety: 260,
}; // prettier-ignore

const NEAR = 0.16; // in VAD: what a place of its own is said to be near to

export class Emotions {
  constructor(readonly vocabulary: Vocabulary) {}

  get names(): Named[] {
    return this.vocabulary.names;
  }

  get neutral(): Feeling {
    return { name: "neutral", amount: 100, vad: this.vocabulary.neutral };
  }

  named(name: string, amount = 100): Feeling {
    const found = this.names.find((entry) => entry.name === name);
    return found ? { name, amount: name === "neutral" ? 100 : amount, vad: found.vad } : this.neutral;
  }

  place({ name, amount, vad }: Feeling): Vad {
    if (name === null) return vad;
    return vad.map((full, i) => {
      const rest = this.vocabulary.neutral[i];
      return clamp(rest + ((full - rest) * amount) / 100, 0, 1);
    }) as Vad;
  }

  // As the server reads it: joy:80, or 0.80,0.60,0.50.
  written({ name, amount, vad }: Feeling): string {
    if (name === null) return vad.map((value) => value.toFixed(3)).join(",");
    return amount === 100 ? name : `${name}:${amount}`;
  }

  isNeutral(feeling: Feeling): boolean {
    return feeling.name === "neutral" || feeling.amount === 0;
  }

  nearest(vad: Vad): { named: Named; far: number } {
    const far = (other: Vad): number => Math.hypot(...other.map((value, i) => value - vad[i]));
    const named = this.names.reduce((a, b) => (far(b.vad) < far(a.vad) ? b : a));
    return { named, far: far(named.vad) };
  }

  said(feeling: Feeling): string {
    if (feeling.name !== null) return feeling.amount === 100 ? feeling.name : `${feeling.name} ${feeling.amount}%`;
    const { named, far } = this.nearest(feeling.vad);
    return far < NEAR ? `near ${named.name}` : `${two(feeling.vad[0])}, ${two(feeling.vad[1])}, ${two(feeling.vad[2])}`;
  }

  // A CSS colour, as strong as the emotion is.
  color(feeling: Feeling, opacity: number): string {
    const named = feeling.name === null ? this.nearest(feeling.vad).named : this.names.find((n) => n.name === feeling.name);
    const hue = HUES[named?.name ?? ""] ?? HUES[named?.label ?? ""];
    return hue === undefined ? `hsl(220 6% 55% / ${opacity * 0.6})` : `hsl(${hue} 55% 55% / ${opacity})`;
  }
}
