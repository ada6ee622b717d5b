// Takes the performance away: as whatever the server can write.
import * as api from "./api";
import { byId, download, el } from "./dom";
import { tell } from "./notice";
import type { Format, Options } from "./types";

// What an animator calls them; others are called by their suffix.
const CALLED: Record<string, string> = {
  ".csv": "Live Link take (CSV)",
  ".json": "Frames (JSON)",
  ".npz": "Frames for Python (npz)",
  ".html": "Page to watch it on",
  ".wav": "Sound (WAV)",
  ".glb": "Animated head (GLB)",
  ".mp4": "Video (MP4)",
  ".png": "Film strip (PNG)",
  ".srt": "Subtitles (SRT)",
  ".TextGrid": "Words and phones (TextGrid)",
  ".usda": "Animated head (USD, text)",
  ".usdc": "Animated head (USD)",
};

export type Wanted = { source: api.Source; options: Options; name: string };

export async function exports(wanted: () => Wanted | null): Promise<void> {
  const menu = byId<HTMLDetailsElement>("export");
  for (const format of await api.formats()) {
    const item = el("button", { type: "button", "data-suffix": format.suffix, title: format.summary });
    item.append(el("span", {}, CALLED[format.suffix] ?? format.suffix), el("small", {}, format.suffix));
    item.onclick = () => {
      menu.open = false;
      void save(menu, format, wanted());
    };
    byId("formats").append(item);
  }
  menu.onkeydown = (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
    event.stopPropagation();
  };
  addEventListener("pointerdown", (event) => {
    if (!menu.contains(event.target as Node)) menu.open = false;
  });
}

async function save(menu: HTMLElement, format: Format, wanted: Wanted | null): Promise<void> {
  if (!wanted) return tell("There is nothing to export yet: speak a text, or drop or record a voice.");
  menu.classList.add("busy");
  try {
    download(await api.exported(wanted.source, wanted.options, format.type), wanted.name + format.suffix);
  } catch (error) {
    tell(error);
  } finally {
    menu.classList.remove("busy");
  }
}
