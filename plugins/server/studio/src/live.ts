// A performance as it is made: spoken text, or what the microphone hears. Frames come down and grow a take.
import type { Feeling } from "./emotion";
import { Stream } from "./stream";
import { Take } from "./take";
import type { Message, Options, State } from "./types";
import { base64, floats } from "./wav";

export interface Events {
  state(state: State): void;
  grown(take: Take): void; // also the first time
  ended(take: Take): void; // all of it is made; the connection stays, for an interruption
  closing(take: Take): void; // the frames that shut the mouth have come
  failed(why: string): void;
}

export class Live {
  take: Take | null = null;
  interrupted = false;
  private rig: string[] = [];
  private fps = 60;
  private rate = 0; // of the sound that goes up
  private finished = false;
  private welcomed: () => void = () => {};
  private readonly stream: Stream;

  private lost: () => void = () => {};
  private readonly gone = new Promise<void>((lost) => (this.lost = lost));

  constructor(private readonly events: Events) {
    this.stream = new Stream((message) => this.heard(message));
    this.stream.onclosed = (why) => this.fail(why);
  }

  async text(text: string, options: Options, emotion: string | null): Promise<void> {
    await this.open({ input: "text" }, options, emotion);
    this.stream.send({ type: "text", text });
    this.stream.send({ type: "end" });
  }

  async microphone(rate: number, options: Options, emotion: string | null): Promise<void> {
    this.rate = rate;
    await this.open({ input: "audio", rate, encoding: "f32" }, options, emotion);
  }

  // Until the server is ready, which is when the rig is known.
  private async open(what: object, options: Options, emotion: string | null): Promise<void> {
    const { profile, voice, strength, transition, mead } = options;
    const ready = new Promise<void>((welcomed) => (this.welcomed = welcomed));
    await this.stream.open({ ...what, profile, ...(voice ? { voice } : {}), emotion, strength, transition, mead });
    await Promise.race([ready, this.gone]);
  }

  // Sound of the microphone; it belongs to the take at once.
  sound(pcm: Float32Array): void {
    this.stream.send({ type: "audio", pcm: base64(pcm) });
    const take = this.grow(this.rate);
    take.addSound(take.samples.length, pcm);
  }

  feel(feeling: Feeling, written: string): void {
    this.stream.send({ type: "emotion", emotion: feeling.name === null ? { vad: feeling.vad } : written });
  }

  at(seconds: number): void {
    const { take } = this;
    if (!take) return;
    const frame = Math.min(Math.floor(seconds * take.fps), take.rows - 1);
    this.stream.send({ type: "position", turn: 0, sample: Math.floor(seconds * take.rate), frame: Math.max(0, frame) });
  }

  // `interrupted` is set before: what is drawn must stop first.
  interrupt(seconds: number): void {
    this.at(seconds);
    this.take?.cut(seconds);
    this.stream.send({ type: "interrupt" });
  }

  close(): void {
    this.finished = true;
    this.stream.close();
  }

  private fail(why: string): void {
    if (this.finished) return;
    this.close();
    this.lost();
    if (this.take) this.take.complete = true; // what has come is there
    this.events.failed(why);
  }

  private heard(message: Message): void {
    if (this.finished) return;
    if (message.type === "ready") {
      [this.rig, this.fps] = [message.rig.channels, message.fps];
      this.welcomed();
    } else if (message.type === "state") this.events.state(message.state);
    else if (message.type === "error") this.fail(message.error);
    else if (message.type === "frames") this.frames(message);
    else if (this.interrupted) return; // sound and words that were on their way
    else if (message.type === "audio") this.grow(message.rate).addSound(message.sample, floats(message.pcm));
    else if (message.type === "marks") this.grow(this.rate).addMarks(message.marks, this.take?.rate ?? 1);
    else if (message.type === "end") this.end();
    if (message.type === "audio") this.told();
  }

  private frames(message: Extract<Message, { type: "frames" }>): void {
    if (this.interrupted !== (message.closing === true)) return; // late ones of what was cut off
    const take = this.grow(this.rate);
    take.addFrames(message.start, floats(message.values), message.vad);
    if (message.closing) this.events.closing(take);
    else this.told();
  }

  // Words may come before the first sound, whose rate they are counted in.
  private grow(rate: number): Take {
    this.take ??= new Take(this.rig, this.fps, rate);
    if (rate) this.take.rate = rate;
    return this.take;
  }

  private told(): void {
    if (this.take?.rate) this.events.grown(this.take);
  }

  private end(): void {
    const { take } = this;
    if (!take) return this.fail("The server made no frames of that.");
    take.complete = true;
    this.events.ended(take);
  }
}
