// The microphone through an AudioWorklet: mono float32 at the device's rate.

function why(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "The microphone is blocked. Allow it in the browser's address bar.";
  if (name === "NotFoundError") return "No microphone was found.";
  return "The microphone cannot be opened.";
}

export class Microphone {
  onsound: ((pcm: Float32Array) => void) | null = null; // from when it is set, the sound is kept
  private chunks: Float32Array[] = [];

  private constructor(
    private readonly stream: MediaStream,
    private readonly context: AudioContext,
  ) {}

  static async open(): Promise<Microphone> {
    // these would change the voice that the face is made from
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    if (!navigator.mediaDevices) throw new Error("A browser gives the microphone only to this machine or over https.");
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { ...plain, channelCount: 1 } });
    } catch (error) {
      throw new Error(why(error));
    }
    const context = new AudioContext();
    const made = new Microphone(stream, context);
    try {
      await context.audioWorklet.addModule("microphone.js");
      const node = new AudioWorkletNode(context, "microphone", { numberOfOutputs: 0 });
      node.port.onmessage = (event: MessageEvent<Float32Array>) => {
        if (!made.onsound) return;
        made.chunks.push(event.data);
        made.onsound(event.data);
      };
      context.createMediaStreamSource(stream).connect(node);
      await context.resume();
    } catch {
      made.close();
      throw new Error("This browser cannot read the microphone.");
    }
    return made;
  }

  get rate(): number {
    return this.context.sampleRate;
  }

  // Ends it and returns all that was heard.
  close(): Float32Array {
    this.stream.getTracks().forEach((track) => track.stop());
    void this.context.close();
    const whole = new Float32Array(this.chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of this.chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }
}

// The face of the microphone has no sound to follow: it runs a little behind the newest frame.
export class Follower {
  private at = 0;
  private last = performance.now();

  now(end: number): number {
    const passed = (performance.now() - this.last) / 1000;
    this.last = performance.now();
    const behind = end - this.at;
    const pace = Math.min(4, Math.max(0.5, 1 + 2 * (behind - 0.12)));
    this.at = Math.min(end, this.at + passed * pace);
    return this.at;
  }
}
