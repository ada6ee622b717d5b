// A face for the pad while nothing has been said: the authored faces near a place, by their distance.
import type { Vad } from "./types";

export interface Authored {
  vad: Vad;
  values: Record<string, number>;
}

const NEAR = 0.1; // sigma in VAD

export class Sketch {
  constructor(
    readonly rig: string[],
    private readonly authored: Authored[],
  ) {}

  face(vad: Vad): number[] {
    const shares = this.authored.map(({ vad: other }) => {
      const far = Math.hypot(...other.map((value, i) => value - vad[i]));
      return Math.exp(-0.5 * (far / NEAR) ** 2);
    });
    const whole = Math.max(1e-6, shares.reduce((a, b) => a + b, 0));
    return this.rig.map((name) =>
      this.authored.reduce((sum, { values }, i) => sum + (shares[i] / whole) * (values[name] ?? 0), 0),
    );
  }
}
