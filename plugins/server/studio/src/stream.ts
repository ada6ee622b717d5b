// The WebSocket: one connection for one performance.
import { streamAddress } from "./api";
import type { Message } from "./types";

export class Stream {
  onclosed: (why: string) => void = () => {};
  private socket: WebSocket | null = null;
  private done = false;

  constructor(private readonly onmessage: (message: Message) => void) {}

  // Resolves when the connection is open and `start` has been sent.
  open(start: object): Promise<void> {
    const socket = new WebSocket(streamAddress(), "facewire.v1.json");
    this.socket = socket;
    socket.onmessage = (event) => this.onmessage(JSON.parse(String(event.data)) as Message);
    return new Promise((opened, failed) => {
      socket.onopen = () => {
        this.send({ type: "start", ...start });
        opened();
      };
      socket.onclose = (event) => {
        const why = event.reason || "The connection to the server was lost.";
        failed(new Error(why));
        if (!this.done) this.onclosed(why);
      };
    });
  }

  send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  close(): void {
    this.done = true;
    this.socket?.close(1000);
  }
}
