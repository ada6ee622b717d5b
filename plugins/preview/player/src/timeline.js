// Under the face, over time: the sound, words, phones, emotion, the lip gap, and channels.

const LEFT = 116; // room for the lanes' names
const LANES = { wave: 54, words: 20, phones: 18, emotion: 40, gap: 46, curves: 130 };
const PAD = 6;
const CLOSED = 0.03; // a gap under this is a closure
// hues that people expect; grey for neutral and for what is not here
const HUES = {
  joy: 48, anger: 2, sadness: 218, surprise: 30, fear: 275, disgust: 95, contempt: 310, gratitude: 150,
  apology: 240, sulk: 196, embarrassment: 345, pride: 65, love: 330, excitement: 17, anxiety: 260,
};
export const curveColor = (k) => `hsl(${(k * 137.5 + 205) % 360} 65% var(--curve))`;

export class Timeline {
  constructor(canvas, take, shown) {
    this.canvas = canvas;
    this.take = take;
    this.shown = shown; // names of the channels drawn
    this.from = 0;
    this.span = Math.max(take.seconds, 1e-3);
    this.peaks = null;
    this.layer = document.createElement("canvas"); // all but the playhead, painted when it changes
  }

  // Loudest and softest sample in each five-hundredth of a second.
  hear(samples, rate = 48000) {
    const step = rate / 500;
    this.peaks = Array.from({ length: Math.ceil(samples.length / step) }, (_, k) => {
      let low = 0;
      let high = 0;
      for (let i = Math.floor(k * step); i < Math.min((k + 1) * step, samples.length); i++) {
        low = Math.min(low, samples[i]);
        high = Math.max(high, samples[i]);
      }
      return [low, high];
    });
  }

  x(seconds) {
    return LEFT + ((seconds - this.from) / this.span) * (this.width - LEFT - PAD);
  }

  seconds(x) {
    return this.from + ((x - LEFT) / (this.width - LEFT - PAD)) * this.span;
  }

  zoom(factor, around) {
    const whole = Math.max(this.take.seconds, 1e-3);
    const span = Math.min(whole, Math.max(Math.min(0.25, whole), this.span * factor));
    this.from = Math.max(0, Math.min(around - ((around - this.from) * span) / this.span, whole - span));
    this.span = span;
  }

  // Keep the playhead in sight.
  follow(at) {
    if (at < this.from || at > this.from + this.span) {
      this.from = Math.max(0, Math.min(at - 0.1 * this.span, this.take.seconds - this.span));
    }
  }

  resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.width = this.canvas.clientWidth;
    const height = Object.values(LANES).reduce((sum, lane) => sum + lane + PAD, PAD);
    this.canvas.style.height = `${height}px`;
    const [w, h] = [Math.round(this.width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    this.height = height;
    this.ratio = ratio;
  }

  color(name) {
    return getComputedStyle(this.canvas).getPropertyValue(name).trim();
  }

  draw(at) {
    this.resize();
    const { canvas, layer, ratio } = this;
    const heard = this.peaks !== null;
    const state = [this.from, this.span, canvas.width, canvas.height, heard, this.color("--page"), ...this.shown].join();
    if (state !== this.painted) {
      layer.width = canvas.width;
      layer.height = canvas.height;
      this.pen = layer.getContext("2d");
      this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.paint();
      this.painted = state;
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(layer, 0, 0);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = this.ink.head;
    pen.fillRect(this.x(at) - 0.75, 0, 1.5, this.height);
  }

  paint() {
    this.ink = Object.fromEntries(
      ["ink", "soft", "line", "wave", "lane", "mark", "head"].map((n) => [n, this.color(`--${n}`)]),
    );
    let top = PAD;
    for (const [lane, height] of Object.entries(LANES)) {
      this.pen.fillStyle = this.ink.lane;
      this.pen.fillRect(LEFT, top, this.width - LEFT - PAD, height);
      this.name(lane === "gap" ? "lip gap" : lane === "wave" ? "sound" : lane, top + 14);
      this.pen.save();
      this.pen.beginPath();
      this.pen.rect(LEFT, top, this.width - LEFT - PAD, height);
      this.pen.clip();
      this[lane](top, height);
      this.pen.restore();
      top += height + PAD;
    }
    this.legend(top - LANES.curves - PAD);
  }

  name(text, y, color = this.ink.soft) {
    this.pen.fillStyle = color;
    this.pen.font = "12px system-ui, sans-serif";
    this.pen.textAlign = "left";
    this.pen.fillText(text, 8, y, LEFT - 14);
  }

  wave(top, height) {
    if (!this.peaks) return;
    const middle = top + height / 2;
    this.pen.fillStyle = this.ink.wave;
    for (let x = LEFT; x < this.width - PAD; x++) {
      const [first, last] = [x, x + 1].map((edge) => Math.floor(this.seconds(edge) * 500));
      let low = 0;
      let high = 0;
      for (let k = Math.max(0, first); k <= Math.min(last, this.peaks.length - 1); k++) {
        low = Math.min(low, this.peaks[k][0]);
        high = Math.max(high, this.peaks[k][1]);
      }
      const [up, down] = [high, -low].map((v) => (v * height) / 2);
      this.pen.fillRect(x, middle - up, 1, Math.max(1, up + down));
    }
  }

  words(top, height) {
    this.spans("word", top, height, 12);
  }

  phones(top, height) {
    this.spans("phone", top, height, 11);
    this.spans("sound", top, height, 11);
  }

  spans(kind, top, height, size) {
    this.pen.font = `${size}px system-ui, sans-serif`;
    this.pen.textAlign = "center";
    for (const [which, text, start, end] of this.take.about.marks) {
      if (which !== kind || end < this.from || start > this.from + this.span) continue;
      const [left, right] = [this.x(start), this.x(end)];
      this.pen.fillStyle = this.ink.mark;
      this.pen.fillRect(left, top, Math.max(1, right - left - 1), height);
      const room = right - left - 4;
      if (this.pen.measureText(text).width > room) continue;
      this.pen.fillStyle = this.ink.ink;
      this.pen.fillText(text, (left + right) / 2, top + height / 2 + size / 3);
    }
  }

  // For each pixel column: fill(x, row)
  rows(each) {
    const { rows, fps } = this.take;
    for (let x = LEFT; x < this.width - PAD; x++) {
      const row = Math.floor(this.seconds(x) * fps);
      if (row >= 0 && row < rows) each(x, row);
    }
  }

  emotion(top, height) {
    const { emotion, about } = this.take;
    let said = -1;
    let since = LEFT;
    const say = (label, x) => {
      if (label >= 0 && x - since > 40) {
        this.pen.fillStyle = this.ink.ink;
        this.pen.font = "11px system-ui, sans-serif";
        this.pen.textAlign = "left";
        this.pen.fillText(about.labels[label], since + 4, top + 12, x - since - 8);
      }
    };
    const spans = [];
    this.rows((x, row) => {
      const label = emotion[5 * row];
      const tint = HUES[about.labels[label]];
      const weight = emotion[5 * row + 1] / 255;
      this.pen.fillStyle = tint === undefined ? `hsl(0 0% 50% / ${0.25 * weight})` : `hsl(${tint} 60% 50% / ${0.55 * weight})`;
      this.pen.fillRect(x, top, 1, height);
      if (label !== said) {
        spans.push([said, since, x]);
        said = label;
        since = x;
      }
    });
    spans.push([said, since, this.width - PAD]);
    ["valence", "arousal", "dominance"].forEach((_, k) => {
      this.curve((row) => emotion[5 * row + 2 + k] / 255, 0, 1, top, height, this.ink.ink, [[], [4, 3], [1, 3]][k]);
    });
    for (const [label, left, right] of spans) {
      since = left;
      say(label, right);
    }
  }

  gap(top, height) {
    const { gap } = this.take;
    this.pen.fillStyle = this.ink.mark;
    this.rows((x, row) => {
      if (gap[row] < CLOSED) this.pen.fillRect(x, top, 1, height);
    });
    const most = Math.max(0.25, gap.reduce((a, b) => Math.max(a, b), 0));
    this.curve((row) => gap[row], -0.1 * most, most, top, height, this.ink.wave);
  }

  curves(top, height) {
    const columns = this.shown.map((name) => this.take.channels[this.take.column(name)]);
    let low = 0;
    let high = 0.25;
    for (const column of columns)
      for (const value of column) {
        low = Math.max(-2, Math.min(low, value));
        high = Math.min(2, Math.max(high, value));
      }
    const light = this.color("--curve");
    columns.forEach((column, k) =>
      this.curve((row) => column[row], low, high, top, height, curveColor(k).replace("var(--curve)", light)),
    );
  }

  legend(top) {
    const light = this.color("--curve");
    this.shown.slice(0, 8).forEach((name, k) => {
      this.name(name, top + 30 + 13 * k, curveColor(k).replace("var(--curve)", light));
    });
  }

  curve(value, low, high, top, height, color, dash = []) {
    const y = (v) => top + height - 3 - ((v - low) / (high - low)) * (height - 6);
    const { fps, rows } = this.take;
    const first = Math.max(0, Math.floor(this.from * fps) - 1);
    const last = Math.min(rows - 1, Math.ceil((this.from + this.span) * fps) + 1);
    this.pen.beginPath();
    this.pen.strokeStyle = color;
    this.pen.setLineDash(dash);
    this.pen.lineWidth = dash.length ? 1 : 1.4;
    // of many rows in one pixel the lowest and the highest: an hour must not draw a million lines
    const step = Math.max(1, Math.floor((last - first) / this.width / 2));
    for (let row = first; row <= last; row += step) {
      let least = value(row);
      let most = least;
      for (let k = row + 1; k < Math.min(row + step, last + 1); k++) {
        least = Math.min(least, value(k));
        most = Math.max(most, value(k));
      }
      this.pen.lineTo(this.x(row / fps), y(least));
      if (most > least) this.pen.lineTo(this.x(row / fps), y(most));
    }
    this.pen.stroke();
    this.pen.setLineDash([]);
  }
}
