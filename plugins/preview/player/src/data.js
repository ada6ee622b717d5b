// What the page holds: read from its script elements.

export const byId = (id) => document.getElementById(id);

const text = (key) => byId(`data-${key}`).textContent;

function bytes(base64) {
  const raw = atob(base64);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

async function inflated(base64) {
  const stream = new Blob([bytes(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// float32 columns from byte planes: one Float32Array of `rows` for each column
function columns(planes, rows) {
  const count = planes.length / 4;
  const whole = new Uint8Array(planes.length);
  for (let plane = 0; plane < 4; plane++)
    for (let i = 0; i < count; i++) whole[4 * i + plane] = planes[plane * count + i];
  const values = new Float32Array(whole.buffer);
  const out = [];
  for (let at = 0; at < count; at += rows) out.push(values.subarray(at, at + rows));
  return out;
}

export async function load() {
  const about = JSON.parse(text("about"));
  const [head, frames, gap, emotion] = await Promise.all(
    ["head", "frames", "gap", "emotion"].map((key) => inflated(text(key))),
  );
  const rows = about.frames;
  const fps = about.fps[0] / about.fps[1];
  return {
    about,
    fps,
    rows,
    seconds: rows / fps,
    head: head.buffer,
    channels: rows ? columns(frames, rows) : about.channels.map(() => new Float32Array(0)),
    gap: rows ? columns(gap, rows)[0] : new Float32Array(0),
    emotion, // label, its weight, valence, arousal, dominance: five bytes a frame
    audio: bytes(text("audio")).buffer,
    column: (name) => about.channels.indexOf(name),
  };
}

// The frames as CSV: time and every channel, the same numbers that the run made.
export function csv(take) {
  const lines = [["frame", "seconds", ...take.about.channels].join(",")];
  for (let row = 0; row < take.rows; row++) {
    const values = take.channels.map((column) => +column[row].toPrecision(9));
    lines.push([take.about.start + row, (row / take.fps).toFixed(6), ...values].join(","));
  }
  return lines.join("\n") + "\n";
}
