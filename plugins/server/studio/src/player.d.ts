// What the studio takes from other plugins: the preview's face, clock and lanes, and v3's authored faces.

declare module "@faces/presets.yaml?raw" {
  const text: string;
  export default text;
}

declare module "@player/face.js" {
  export interface Shown {
    about: {
      targets: Record<string, [mesh: number, target: number, weight: number][]>;
      nodes: Record<string, number>;
      look: boolean;
      centre: [number, number, number];
      reach: number;
    };
    head: ArrayBuffer;
    rows: number;
    fps: number;
    channels: Float32Array[];
    column(name: string): number;
  }
  export class Face {
    constructor(canvas: HTMLCanvasElement, take: Shown);
    yaw: number;
    pitch: number;
    zoom: number;
    load(): Promise<void>;
    show(seconds: number): void;
    draw(): void;
    steer(changed: () => void): void;
    look(yaw: number, pitch: number): void;
  }
}

declare module "@player/clock.js" {
  export class Clock {
    constructor(audio: ArrayBuffer, seconds: number);
    seconds: number;
    rate: number;
    loop: boolean;
    playing: boolean;
    at: number;
    from: number;
    began: number;
    context: AudioContext | undefined;
    volume: GainNode;
    onend: () => void;
    ready(): Promise<void>;
    play(): Promise<void>;
    begin(): void;
    stop(): void;
    pause(): void;
    heard(): number;
    now(): number;
    seek(seconds: number): void;
    speed(rate: number): void;
  }
}

declare module "@player/timeline.js" {
  export interface Shown {
    seconds: number;
    rows: number;
    fps: number;
    about: { marks: [kind: string, text: string, start: number, end: number][]; labels: string[] };
  }
  export class Timeline {
    constructor(canvas: HTMLCanvasElement, take: Shown, shown: string[]);
    canvas: HTMLCanvasElement;
    take: Shown;
    from: number;
    span: number;
    width: number;
    height: number;
    ratio: number;
    painted: string | undefined;
    peaks: [low: number, high: number][] | null;
    pen: CanvasRenderingContext2D;
    ink: Record<string, string>;
    hear(samples: Float32Array, rate: number): void;
    x(seconds: number): number;
    seconds(x: number): number;
    zoom(factor: number, around: number): void;
    follow(at: number): void;
    resize(): void;
    color(name: string): string;
    draw(at: number): void;
    paint(): void;
    name(text: string, y: number, color?: string): void;
    wave(top: number, height: number): void;
    words(top: number, height: number): void;
    phones(top: number, height: number): void;
    curve(
      value: (row: number) => number,
      low: number,
      high: number,
      top: number,
      height: number,
      color: string,
      dash?: number[],
    ): void;
  }
}
