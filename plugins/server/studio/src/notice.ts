// What the studio is doing, and what went wrong: one line each.
import { byId } from "./dom";

export type Doing = "idle" | "listening" | "thinking" | "speaking" | "animating" | "recording" | "playing";

const SAID: Record<Doing, string> = {
  idle: "Ready",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
  animating: "Animating",
  recording: "Recording",
  playing: "Playing",
};

export function doing(what: Doing): void {
  document.body.dataset.state = what;
  byId("state").textContent = SAID[what];
}

export function tell(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  const line = error instanceof Error ? error.message : String(error);
  byId("error-text").textContent = line.charAt(0).toUpperCase() + line.slice(1);
  byId("error").hidden = false;
}

export function hush(): void {
  byId("error").hidden = true;
}
