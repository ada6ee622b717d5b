// The emotion pad: valence across, arousal up, a dot for each name; dominance and amount below it.
import { byId, clamp, input, select, two } from "./dom";
import type { Emotions, Feeling } from "./emotion";
import type { Named, Vad } from "./types";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 280;
const HEIGHT = 208;
const EDGE = 10;
const SNAP = 11; // pixels around a dot that are the dot

// What the pad shows of valence and arousal: no emotion lies outside.
const LOW: [number, number] = [0.06, 0.1];
const HIGH: [number, number] = [0.98, 0.97];

const x = (valence: number): number => EDGE + ((valence - LOW[0]) / (HIGH[0] - LOW[0])) * (WIDTH - 2 * EDGE);
const y = (arousal: number): number => HEIGHT - EDGE - ((arousal - LOW[1]) / (HIGH[1] - LOW[1])) * (HEIGHT - 2 * EDGE);

function svg(tag: string, props: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) made.setAttribute(name, String(value));
  return made;
}

// A name is written where it covers no dot and no other name.
function labelled(names: Named[]): Map<Named, { x: number; y: number; anchor: string }> {
  type Box = [number, number, number, number];
  const boxes: Box[] = names.map(({ vad: [v, a] }) => [x(v) - 4, y(a) - 4, x(v) + 4, y(a) + 4]);
  const out = new Map<Named, { x: number; y: number; anchor: string }>();
  for (const named of names) {
    const [px, py] = [x(named.vad[0]), y(named.vad[1])];
    const wide = 5.3 * named.name.length;
    const places: [string, number, number, Box][] = [
      ["start", px + 7, py + 3.5, [px + 5, py - 5, px + 7 + wide, py + 6]],
      ["end", px - 7, py + 3.5, [px - 7 - wide, py - 5, px - 5, py + 6]],
      ["middle", px, py - 7, [px - wide / 2, py - 16, px + wide / 2, py - 5]],
      ["middle", px, py + 14, [px - wide / 2, py + 5, px + wide / 2, py + 16]],
    ];
    const free = places.find(
      ([, , , [l, t, r, b]]) =>
        l > 2 && r < WIDTH - 2 && t > 2 && b < HEIGHT - 2 && boxes.every(([L, T, R, B]) => r < L || l > R || b < T || t > B),
    );
    if (!free) continue;
    out.set(named, { anchor: free[0], x: free[1], y: free[2] });
    boxes.push(free[3]);
  }
  return out;
}

export class Pad {
  private feeling: Feeling;
  private readonly area = byId("pad");
  private readonly picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" });
  private readonly thumb = svg("circle", { r: 8, class: "thumb" });
  private readonly dots = new Map<string, SVGElement>();

  constructor(
    private readonly emotions: Emotions,
    private readonly onchange: (feeling: Feeling, settled: boolean) => void,
  ) {
    this.feeling = emotions.neutral;
    this.paint();
    this.wire();
    this.show(this.feeling);
  }

  private paint(): void {
    const [v, a] = this.emotions.vocabulary.neutral;
    this.picture.append(
      svg("line", { x1: x(v), x2: x(v), y1: 0, y2: HEIGHT, class: "axis" }),
      svg("line", { x1: 0, x2: WIDTH, y1: y(a), y2: y(a), class: "axis" }),
    );
    const labels = labelled(this.emotions.names);
    for (const named of this.emotions.names) {
      const color = this.emotions.color(this.emotions.named(named.name), 1);
      const dot = svg("g", { class: labels.has(named) ? "dot" : "dot bare" });
      const title = svg("title", {});
      title.textContent = named.name;
      const label = labels.get(named) ?? { x: x(named.vad[0]), y: y(named.vad[1]) - 12, anchor: "middle" };
      const text = svg("text", { x: label.x, y: label.y, "text-anchor": label.anchor });
      text.textContent = named.name;
      dot.append(svg("circle", { cx: x(named.vad[0]), cy: y(named.vad[1]), r: 4, fill: color }), text, title);
      this.dots.set(named.name, dot);
      this.picture.append(dot);
    }
    this.picture.append(this.thumb);
    this.area.append(this.picture);
    select("emotion").append(...this.emotions.names.map(({ name }) => new Option(name, name)), new Option("own place", ""));
  }

  private wire(): void {
    let down = false;
    const to = (event: PointerEvent, settled: boolean): void => {
      const box = this.picture.getBoundingClientRect();
      this.aim(((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * HEIGHT, settled);
    };
    this.area.addEventListener("pointerdown", (event) => {
      down = true;
      this.area.setPointerCapture(event.pointerId);
      to(event, false);
    });
    this.area.addEventListener("pointermove", (event) => down && to(event, false));
    this.area.addEventListener("pointerup", (event) => {
      if (down) to(event, true);
      down = false;
    });
    this.area.addEventListener("pointercancel", () => (down = false));
    this.area.addEventListener("keydown", (event) => this.key(event));
    select("emotion").onchange = () => this.choose(select("emotion").value);
    for (const [settled, kind] of [[false, "input"], [true, "change"]] as const) {
      input("dominance").addEventListener(kind, () => {
        const [v, a] = this.emotions.place(this.feeling);
        this.set({ name: null, amount: 100, vad: [v, a, Number(input("dominance").value)] }, settled);
      });
      input("amount").addEventListener(kind, () =>
        this.set({ ...this.feeling, amount: Math.round(Number(input("amount").value)) }, settled),
      );
    }
  }

  private choose(name: string): void {
    if (name) this.set(this.emotions.named(name), true);
    else this.set({ name: null, amount: 100, vad: this.emotions.place(this.feeling) }, true);
  }

  private aim(px: number, py: number, settled: boolean): void {
    const far = ({ vad: [v, a] }: Named): number => Math.hypot(x(v) - px, y(a) - py);
    const near = this.emotions.names.reduce((a, b) => (far(b) < far(a) ? b : a));
    if (far(near) < SNAP) this.set(this.emotions.named(near.name), settled);
    else {
      const [across, up] = [(px - EDGE) / (WIDTH - 2 * EDGE), (HEIGHT - EDGE - py) / (HEIGHT - 2 * EDGE)];
      this.put(LOW[0] + across * (HIGH[0] - LOW[0]), LOW[1] + up * (HIGH[1] - LOW[1]), settled);
    }
  }

  private put(valence: number, arousal: number, settled: boolean): void {
    const dominance = this.emotions.place(this.feeling)[2];
    this.set({ name: null, amount: 100, vad: [clamp(valence, LOW[0], HIGH[0]), clamp(arousal, LOW[1], HIGH[1]), dominance] }, settled);
  }

  private key(event: KeyboardEvent): void {
    const step = event.shiftKey ? 0.1 : 0.02;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
    };
    const move = moves[event.key];
    if (move) {
      const [v, a] = this.emotions.place(this.feeling);
      this.put(v + move[0], a + move[1], true);
    } else if (event.key === "Home") this.set(this.emotions.neutral, true);
    else return;
    event.preventDefault();
  }

  private set(feeling: Feeling, settled: boolean): void {
    this.show(feeling);
    this.onchange(feeling, settled);
  }

  show(feeling: Feeling): void {
    this.feeling = feeling;
    const [v, a, d]: Vad = this.emotions.place(feeling);
    this.thumb.setAttribute("cx", String(clamp(x(v), 0, WIDTH)));
    this.thumb.setAttribute("cy", String(clamp(y(a), 0, HEIGHT)));
    for (const [name, dot] of this.dots) dot.classList.toggle("on", name === feeling.name);
    const said = this.emotions.said(feeling);
    this.area.setAttribute("aria-valuenow", String(Math.round(100 * v)));
    this.area.setAttribute("aria-valuetext", `${said}: valence ${two(v)}, arousal ${two(a)}, dominance ${two(d)}`);
    select("emotion").value = feeling.name ?? "";
    input("dominance").value = String(d);
    byId("dominance-value").textContent = two(d);
    input("amount").value = String(feeling.amount);
    input("amount").disabled = feeling.name === null || feeling.name === "neutral";
    byId("amount-value").textContent = input("amount").disabled ? "" : `${feeling.amount}%`;
    byId("place").textContent = feeling.name === null ? said : "";
  }
}
