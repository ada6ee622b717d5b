// The server this page came from, and no other.
import { Sketch, type Authored } from "./sketch";
import type { Animated, Format, Options, Profile, Vocabulary, Voice } from "./types";

export type Source = { kind: "text"; text: string } | { kind: "audio"; sound: Blob; name: string };

// The page is at / or at /studio/, perhaps below a prefix.
const base = location.pathname.replace(/(studio\/)?(index\.html)?$/, "");
const KEEP = "facewire-token";

// What a header cannot carry is no token's; the server says no to the rest, and the page asks again.
const sendable = (given: string): string => given.replace(/[^ -~]/g, "").trim();

// A token comes once in the address, and then stays out of it.
function token(): string {
  const query = new URLSearchParams(location.search);
  const given = query.get("token");
  if (given !== null) {
    sessionStorage.setItem(KEEP, sendable(given));
    query.delete("token");
    const rest = query.toString();
    history.replaceState(null, "", location.pathname + (rest ? `?${rest}` : ""));
  }
  return sessionStorage.getItem(KEEP) ?? "";
}

let key = token();

export function setToken(given: string): void {
  key = sendable(given);
  sessionStorage.setItem(KEEP, key);
}

export class ServerError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function failed(answer: Response): Promise<ServerError> {
  const text = await answer.text();
  let said = text.split("\n")[0] ?? "";
  try {
    said = String(JSON.parse(text).error ?? said);
  } catch {
    // not JSON: its first line will do
  }
  return new ServerError(answer.status, said || `the server answered ${answer.status}`);
}

async function asked(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (key) headers.set("Authorization", `Bearer ${key}`);
  let answer: Response;
  try {
    answer = await fetch(`${base}v1/${path}`, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ServerError(0, "The server does not answer. Is facewire serve still running?");
  }
  if (!answer.ok) throw await failed(answer);
  return answer;
}

const json = async <T>(path: string): Promise<T> => (await asked(path)).json() as Promise<T>;

export const profiles = (): Promise<Profile[]> => json("profiles");
export const voices = (profile: string): Promise<Voice[]> => json(`voices?profile=${encodeURIComponent(profile)}`);
export const formats = (): Promise<Format[]> => json("formats");
export const vocabulary = (): Promise<Vocabulary> => json("vocabulary");
export const head = async (): Promise<ArrayBuffer> => (await asked("head.glb")).arrayBuffer();

function post(source: Source, options: object, accept: string, signal: AbortSignal | null): Promise<Response> {
  const body = new FormData();
  if (source.kind === "text") body.set("text", source.text);
  else body.set("audio", source.sound, source.name);
  body.set("options", JSON.stringify(options));
  return asked("animate", { method: "POST", body, headers: { Accept: accept }, signal });
}

export async function animate(source: Source, options: Options, signal: AbortSignal): Promise<Animated> {
  const answer = await post(source, { ...options, sound: true }, "application/json", signal);
  return answer.json() as Promise<Animated>;
}

export async function exported(source: Source, options: Options, type: string): Promise<Blob> {
  return (await post(source, options, type, null)).blob();
}

export function streamAddress(): string {
  const at = new URL(`${base}v1/stream`, location.href);
  at.protocol = at.protocol === "https:" ? "wss:" : "ws:";
  if (key) at.searchParams.set("token", key);
  return at.href;
}

export async function sketch(): Promise<Sketch> {
  const { rig, presets } = await json<{ rig: string[]; presets: Authored[] }>("presets");
  return new Sketch(rig, presets);
}
