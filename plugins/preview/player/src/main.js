// The page of one run: buttons, keys, and the loop that shows the face at what is heard.
import { Clock } from "./clock.js";
import { byId, csv, load } from "./data.js";
import { Face } from "./face.js";
import { Timeline, curveColor } from "./timeline.js";

const MOST_CURVES = 8;

// The six channels that move most, the jaw among them; of a mirrored pair the left one.
function liveliest(take) {
  const spread = (column) => {
    let low = Infinity;
    let high = -Infinity;
    for (const value of column) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return high - low;
  };
  const moved = take.about.channels
    .map((name, k) => [spread(take.channels[k]) + (name === "jawOpen" ? 100 : 0), name])
    .filter(([much, name]) => much > 1e-6 && !name.endsWith("Right") && !name.startsWith("rightEye"));
  return moved.sort((a, b) => b[0] - a[0]).slice(0, 6).map(([, name]) => name);
}

// In place of the face, where a browser draws no WebGL.
const NOBODY = { load() {}, steer() {}, show() {}, draw() {}, look() {}, yaw: 0, pitch: 0 };

function faceOf(take) {
  try {
    return new Face(byId("face"), take);
  } catch {
    byId("told").textContent = "WebGL is switched off in this browser, so the face is not shown.";
    return { ...NOBODY };
  }
}

class Player {
  constructor(take) {
    this.take = take;
    this.clock = new Clock(take.audio, take.seconds);
    this.face = faceOf(take);
    this.timeline = new Timeline(byId("timeline"), take, liveliest(take));
    this.stale = true;
    this.clock.onend = () => this.buttons();
  }

  async start() {
    await this.face.load();
    this.face.steer(() => (this.stale = true));
    this.wire();
    this.choices();
    this.buttons();
    addEventListener("resize", () => (this.stale = true));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (this.stale = true));
    const tick = () => {
      this.tick();
      requestAnimationFrame(tick);
    };
    tick();
    try {
      this.timeline.hear(await this.clock.samples());
    } catch {
      byId("told").textContent = "This browser cannot decode the sound.";
    }
    this.stale = true;
    document.body.dataset.ready = "true";
  }

  tick() {
    const at = this.clock.now();
    if (!this.clock.playing && !this.stale) return;
    this.stale = false;
    this.face.show(at);
    this.face.draw();
    if (this.clock.playing) this.timeline.follow(at);
    this.timeline.draw(at);
    // a frame's own time, in floating point, may fall a hair short of it
    const row = Math.min(Math.floor(at * this.take.fps + 1e-6), Math.max(0, this.take.rows - 1));
    byId("time").textContent = `${at.toFixed(2)} / ${this.take.seconds.toFixed(2)} s`;
    byId("frame").textContent = `frame ${this.take.about.start + row}`;
    if (document.activeElement !== byId("scrub") || this.clock.playing) byId("scrub").value = at;
    const word = this.take.about.marks.find(([kind, , a, b]) => kind === "word" && a <= at && at < b);
    byId("word").textContent = word ? word[1] : "";
  }

  buttons() {
    byId("play").textContent = this.clock.playing ? "Pause" : "Play";
    byId("play").setAttribute("aria-pressed", String(this.clock.playing));
    byId("loop").setAttribute("aria-pressed", String(this.clock.loop));
    this.stale = true;
  }

  async toggle() {
    if (this.clock.playing) this.clock.pause();
    else {
      try {
        await this.clock.play();
      } catch (error) {
        byId("told").textContent = `The sound cannot be played: ${error.message}`;
      }
    }
    this.buttons();
  }

  seek(seconds) {
    this.clock.seek(seconds);
    this.timeline.follow(this.clock.now());
    this.stale = true;
  }

  // To the beginning of a frame, so that stepping shows each one.
  step(frames) {
    this.clock.pause();
    const { fps, rows } = this.take;
    const row = Math.round(this.clock.now() * fps) + frames;
    this.seek(Math.max(0, Math.min(row, rows - 1)) / fps);
    this.buttons();
  }

  loop() {
    this.clock.loop = !this.clock.loop;
    this.buttons();
  }

  speed(step) {
    const list = byId("speed");
    list.selectedIndex = Math.max(0, Math.min(list.options.length - 1, list.selectedIndex + step));
    this.clock.speed(Number(list.value));
  }

  front() {
    this.face.look(0, 0);
    this.face.zoom = 1;
    this.stale = true;
  }

  turn(by) {
    this.face.look(this.face.yaw + by, this.face.pitch);
    this.stale = true;
  }

  zoom(factor) {
    this.timeline.zoom(factor, this.clock.now());
    this.stale = true;
  }

  download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv(this.take)], { type: "text/csv" }));
    link.download = `${this.take.about.name.replace(/[^\p{L}\p{N}._-]+/gu, "_")}.frames.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  wire() {
    byId("play").onclick = () => this.toggle();
    byId("loop").onclick = () => this.loop();
    byId("front").onclick = () => this.front();
    byId("download").onclick = () => this.download();
    byId("speed").onchange = (event) => this.clock.speed(Number(event.target.value));
    const scrub = byId("scrub");
    scrub.max = this.take.seconds;
    scrub.step = 1 / this.take.fps;
    scrub.oninput = () => this.seek(Number(scrub.value));
    this.drag(byId("timeline"));
    addEventListener("keydown", (event) => this.key(event));
  }

  drag(canvas) {
    let down = false;
    const to = (event) => this.seek(this.timeline.seconds(event.offsetX));
    canvas.addEventListener("pointerdown", (event) => {
      down = true;
      canvas.setPointerCapture(event.pointerId);
      to(event);
    });
    canvas.addEventListener("pointermove", (event) => down && to(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (down = false));
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey) return; // the page scrolls
        event.preventDefault();
        this.timeline.zoom(Math.exp(event.deltaY / 300), this.timeline.seconds(event.offsetX));
        this.stale = true;
      },
      { passive: false },
    );
  }

  key(event) {
    const field = event.target.closest("select, input[type=checkbox], summary");
    if (event.ctrlKey || event.metaKey || event.altKey || field) return;
    const far = event.shiftKey ? 10 : 1;
    const keys = {
      " ": () => this.toggle(),
      ArrowLeft: () => this.step(-far),
      ArrowRight: () => this.step(far),
      Home: () => this.seek(0),
      End: () => this.seek(this.take.seconds),
      l: () => this.loop(),
      ",": () => this.speed(-1),
      ".": () => this.speed(1),
      f: () => this.front(),
      a: () => this.turn(0.15),
      d: () => this.turn(-0.15),
      "+": () => this.zoom(0.7),
      "=": () => this.zoom(0.7),
      "-": () => this.zoom(1 / 0.7),
      s: () => this.download(),
    };
    if (event.target.closest("button") && event.key === " ") return; // the button's own key
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  // Which channels are drawn: eight at most, so that each can be told from the others.
  choices() {
    const list = byId("channels");
    const marks = new Map();
    const paint = () => {
      for (const [name, { box, label }] of marks) {
        const k = this.timeline.shown.indexOf(name);
        box.checked = k >= 0;
        box.disabled = k < 0 && this.timeline.shown.length >= MOST_CURVES;
        label.style.color = k < 0 ? "" : curveColor(k);
      }
      this.stale = true;
    };
    for (const name of this.take.about.channels) {
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.onchange = () => {
        const shown = this.timeline.shown.filter((other) => other !== name);
        this.timeline.shown = box.checked ? [...shown, name] : shown;
        paint();
      };
      label.append(box, name);
      list.append(label);
      marks.set(name, { box, label });
    }
    paint();
  }
}

async function begin() {
  const take = await load();
  const { about } = take;
  byId("about").textContent = `${take.seconds.toFixed(2)} s, ${about.frames} frames at ${+take.fps.toFixed(3)} a second, ${about.rig}`;
  byId("told").textContent = about.report ? `Head: ${about.report}` : "";
  await new Player(take).start();
}

begin().catch((error) => {
  byId("told").textContent = `The page cannot be shown: ${error.message}`;
  document.body.dataset.ready = "failed";
});
