// Under the head, over time: what is painted, the handles of the keys, and what the mouse does there.
import { byId, clamp } from "./dom";
import { Drawn, HEIGHTS, LEFT, PAD } from "./drawn";
import type { Emotions } from "./emotion";
import type { Key, Keys } from "./keys";
import type { Take } from "./take";

export class Lanes {
  onseek: (seconds: number) => void = () => {};
  onstep: (frames: number) => void = () => {};
  private readonly canvas = byId<HTMLCanvasElement>("timeline");
  private readonly handles = byId("keys");
  private readonly drawn: Drawn;
  private stale = true;
  private heard = 0;

  constructor(
    private readonly keys: Keys,
    private readonly emotions: Emotions,
  ) {
    this.drawn = new Drawn(this.canvas, keys, emotions);
    this.handles.style.top = `${PAD + HEIGHTS.wave + HEIGHTS.words + HEIGHTS.phones + 3 * PAD}px`;
    this.handles.style.height = `${HEIGHTS.emotion}px`;
    this.wire();
  }

  get take(): Take {
    return this.drawn.take as Take;
  }

  // The whole of a take in sight; of one that grows, what there is.
  show(take: Take): void {
    const other = take !== this.take;
    this.drawn.take = take;
    if (other || this.heard !== take.samples.length) {
      this.heard = take.samples.length;
      this.drawn.hear(take.samples, take.rate);
    }
    if (other || !take.complete) {
      this.drawn.from = 0;
      this.drawn.span = Math.max(take.seconds, 0.5);
    }
    this.changed();
  }

  changed(): void {
    this.stale = true;
  }

  draw(at: number, follow: boolean): void {
    if (follow) this.drawn.follow(at);
    if (this.stale) this.drawn.painted = undefined;
    const before = this.drawn.painted;
    this.drawn.draw(at);
    if (this.drawn.painted !== before) this.place();
    this.stale = false;
    this.canvas.setAttribute("aria-valuemax", this.take.seconds.toFixed(2));
    this.canvas.setAttribute("aria-valuenow", at.toFixed(2));
    this.canvas.setAttribute("aria-valuetext", `${at.toFixed(2)} of ${this.take.seconds.toFixed(2)} seconds`);
  }

  // A handle for each key, where its time is; those that stay keep the keyboard's focus.
  private place(): void {
    const known = new Map([...this.handles.children].map((node) => [(node as HTMLElement).dataset.id, node as HTMLElement]));
    for (const key of this.keys.list) {
      const handle = known.get(String(key.id)) ?? this.handle(key);
      known.delete(String(key.id));
      const x = this.drawn.x(key.at);
      handle.style.left = `${x}px`;
      handle.hidden = x < LEFT - 1 || x > this.drawn.width - PAD + 1;
      handle.textContent = this.emotions.said(key.feeling);
      handle.style.setProperty("--tint", this.emotions.color(key.feeling, 1));
      const when = key === this.keys.first ? "from the beginning" : `at ${key.at.toFixed(2)} seconds`;
      handle.setAttribute("aria-label", `${handle.textContent} ${when}`);
      handle.setAttribute("aria-pressed", String(key === this.keys.selected));
    }
    for (const gone of known.values()) gone.remove();
  }

  private handle(key: Key): HTMLElement {
    const made = document.createElement("button");
    made.className = "key";
    made.dataset.id = String(key.id);
    made.type = "button";
    made.title = key === this.keys.first ? "How it begins" : "Drag to move; Delete removes it";
    let held: { from: number; x: number } | null = null;
    const to = (event: PointerEvent, settled: boolean): void => {
      if (!held) return;
      const far = this.drawn.seconds(LEFT + event.clientX - held.x) - this.drawn.seconds(LEFT);
      this.keys.move(key, held.from + far, this.take.seconds, settled);
    };
    made.onpointerdown = (event) => {
      this.keys.select(key);
      if (key === this.keys.first) return;
      held = { from: key.at, x: event.clientX };
      made.setPointerCapture(event.pointerId);
    };
    made.onpointermove = (event) => to(event, false);
    made.onpointerup = (event) => {
      if (held && Math.abs(event.clientX - held.x) > 2) to(event, true);
      held = null;
    };
    made.onclick = () => this.keys.select(key);
    made.onkeydown = (event) => this.key(event, key);
    this.handles.append(made);
    return made;
  }

  private key(event: KeyboardEvent, key: Key): void {
    const step = event.shiftKey ? 0.5 : 0.05;
    if (event.key === "ArrowLeft") this.keys.move(key, key.at - step, this.take.seconds, true);
    else if (event.key === "ArrowRight") this.keys.move(key, key.at + step, this.take.seconds, true);
    else if (event.key === "Delete" || event.key === "Backspace") {
      this.keys.remove(key);
      this.canvas.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private wire(): void {
    let down = false;
    const to = (event: PointerEvent): void =>
      this.onseek(clamp(this.drawn.seconds(event.offsetX), 0, this.take.seconds));
    this.canvas.onpointerdown = (event) => {
      down = true;
      this.canvas.setPointerCapture(event.pointerId);
      to(event);
    };
    this.canvas.onpointermove = (event) => down && to(event);
    this.canvas.onpointerup = this.canvas.onpointercancel = () => (down = false);
    this.canvas.ondblclick = (event) => {
      if (event.offsetX < LEFT || event.offsetY < this.handles.offsetTop) return;
      this.keys.add(clamp(this.drawn.seconds(event.offsetX), 0, this.take.seconds));
    };
    this.canvas.onwheel = (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.drawn.zoom(Math.exp(event.deltaY / 300), this.drawn.seconds(event.offsetX));
      this.changed();
    };
    this.canvas.onkeydown = (event) => {
      const far = event.shiftKey ? 10 : 1;
      if (event.key === "ArrowLeft") this.onstep(-far);
      else if (event.key === "ArrowRight") this.onstep(far);
      else if (event.key === "Home") this.onseek(0);
      else if (event.key === "End") this.onseek(this.take.seconds);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    addEventListener("resize", () => this.changed());
  }
}
