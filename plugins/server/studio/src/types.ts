// What the server says and takes: HTTP under v1/, and the messages of the stream.

export type Vad = [valence: number, arousal: number, dominance: number];

export interface Profile {
  name: string;
  summary: string;
  voice: boolean;
  model: string;
}

export interface Voice {
  id: string;
  name: string;
  lang: string;
}

export interface Format {
  suffix: string;
  type: string;
  sink: string;
  summary: string;
}

export interface Named {
  name: string;
  vad: Vad;
  label: string;
  aliases: string[];
}

export interface Vocabulary {
  names: Named[];
  labels: string[];
  neutral: Vad;
}

export const MEAD = ["neutral", "joy", "anger", "sadness", "surprise"] as const;
export type Mead = Record<(typeof MEAD)[number], number>;

export interface Options {
  profile: string;
  voice?: string;
  emotion?: string | null;
  track?: { at: number; emotion: string }[];
  strength: number;
  transition: number;
  mead: Mead | null;
}

export interface MarkSaid {
  kind: string;
  text: string;
  start: number;
  end: number;
}

export interface Animated {
  name: string;
  fps: number;
  rate: number;
  rig: { name: string; channels: string[] };
  frames: number[][];
  vad: number[][];
  marks: MarkSaid[];
  seconds: number;
  audio: string;
}

export type State = "listening" | "thinking" | "speaking";

// Of the stream; binary fields are base64 of little-endian float32.
export type Message =
  | { type: "ready"; rig: { name: string; channels: string[] }; fps: number; rate: number; latency: number }
  | {
      type: "frames";
      turn: number;
      start: number;
      sample: number;
      count: number;
      values: string;
      vad: number[][];
      closing?: boolean;
    }
  | { type: "audio"; turn: number; sample: number; rate: number; pcm: string }
  | { type: "marks"; turn: number; marks: MarkSaid[] }
  | { type: "state"; state: State }
  | { type: "end"; turn: number; frames: number; samples: number }
  | { type: "dropped"; frames: number }
  | { type: "error"; error: string };
