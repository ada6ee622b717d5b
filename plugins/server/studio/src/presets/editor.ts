// The preset editor: a list of the authored faces, a slider for each channel, and the head that follows.
import authored from "@faces/presets.yaml?raw";
import { byId, button, download, el, input } from "../dom";
import type { Head } from "../head";
import { hush, tell } from "../notice";
import { groups, mirror } from "./channels";
import { PresetFile, TURNS, type Authored } from "./file";

const CALLED = { yaw: "Turn", pitch: "Nod", roll: "Tilt" } as const;
const SIDES = ["right", "left"] as const;

export class Editor {
  private file: PresetFile | null = null;
  private opened = ""; // the file's text, to go back to
  private chosen: Authored | null = null; // null is neutral, which has nothing to edit
  private readonly sliders = new Map<string, HTMLInputElement>();

  constructor(
    private readonly rig: readonly string[],
    private readonly head: Head,
  ) {
    this.lay();
    button("preset-save").onclick = () => this.save();
    button("preset-open").onclick = () => input("preset-file").click();
    button("preset-reset").onclick = () => this.reset();
    input("preset-file").onchange = () => void this.picked();
    byId("preset-list").onkeydown = (event) => this.walk(event);
  }

  // The expression layer's own faces, when the editor is first looked at.
  enter(): void {
    if (!this.file) this.take(authored);
    this.pose();
  }

  private take(text: string): void {
    this.file = PresetFile.parse(text, this.rig);
    this.opened = text;
    const before = this.chosen;
    this.chosen = this.file.presets.find((p) => p.family === before?.family && p.column === before.column) ?? null;
    this.list();
    this.show();
    hush();
  }

  private async picked(): Promise<void> {
    const chosen = input("preset-file").files?.[0];
    input("preset-file").value = "";
    if (!chosen) return;
    try {
      this.take(await chosen.text());
    } catch (error) {
      tell(error);
    }
  }

  private save(): void {
    if (this.file) download(new Blob([this.file.text()], { type: "application/yaml" }), "presets.yaml");
  }

  private reset(): void {
    const { chosen, file } = this;
    if (!chosen || !file) return;
    const before = PresetFile.parse(this.opened, this.rig);
    for (const channel of this.rig) file.set(chosen, channel, 0);
    for (const channel of this.rig) {
      const value = before.value(chosen, channel);
      if (value) file.set(chosen, channel, value);
    }
    for (const axis of TURNS) file.turn(chosen, axis, before.head(chosen, axis));
    this.show();
  }

  private list(): void {
    const made = [null, ...(this.file?.presets ?? [])].map((preset) => {
      const item = el("li", { role: "option", "data-preset": preset?.title ?? "neutral" }, preset?.title ?? "neutral");
      item.onclick = () => this.choose(preset);
      return item;
    });
    byId("preset-list").replaceChildren(...made);
  }

  private walk(event: KeyboardEvent): void {
    const all = [null, ...(this.file?.presets ?? [])];
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -all.length, End: all.length }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.choose(all[Math.max(0, Math.min(all.length - 1, all.indexOf(this.chosen) + step))]);
  }

  private choose(preset: Authored | null): void {
    this.chosen = preset;
    this.show();
  }

  private lay(): void {
    for (const [title, rows] of groups(this.rig)) {
      const box = el("fieldset", {}, el("legend", {}, title));
      for (const { label, channels } of rows) {
        const row = el("div", { class: channels.length > 1 ? "pair" : "pair one" }, el("span", {}, label));
        channels.forEach((channel, k) => row.append(this.slider(channel, channels.length > 1 ? SIDES[k] : "")));
        box.append(row);
      }
      byId("sliders").append(box);
    }
    const box = el("fieldset", {}, el("legend", {}, "Head"));
    for (const axis of TURNS) {
      const range = el("input", { type: "range", min: -35, max: 35, step: 0.5, "aria-label": `head ${CALLED[axis]}, degrees` });
      range.oninput = () => {
        if (this.chosen) this.file?.turn(this.chosen, axis, Number(range.value));
        this.show();
      };
      this.sliders.set(axis, range);
      box.append(el("div", { class: "pair one" }, el("span", {}, CALLED[axis]), cell(range)));
    }
    byId("sliders").append(box);
  }

  private slider(channel: string, side: string): HTMLElement {
    const range = el("input", { type: "range", min: 0, max: 1, step: 0.01, "aria-label": channel, title: `${channel} ${side}`.trim() });
    range.oninput = () => {
      const { chosen, file } = this;
      if (!chosen || !file) return;
      const other = input("linked").checked ? mirror(channel) : null;
      for (const name of other ? [channel, other] : [channel]) {
        if (!name.startsWith("eyeLook") || name === channel) file.set(chosen, name, Number(range.value));
      }
      this.show();
    };
    this.sliders.set(channel, range);
    return cell(range);
  }

  private show(): void {
    const { chosen, file } = this;
    for (const [name, range] of this.sliders) {
      const axis = TURNS.find((other) => other === name);
      const value = !chosen || !file ? 0 : axis ? file.head(chosen, axis) : file.value(chosen, name);
      range.value = String(value);
      range.disabled = !chosen;
      const said = range.nextElementSibling;
      if (said) said.textContent = axis ? `${value}°` : value ? value.toFixed(2) : "0";
      range.parentElement?.classList.toggle("set", value !== 0);
    }
    for (const item of byId("preset-list").children) {
      const on = (item as HTMLElement).dataset.preset === (chosen?.title ?? "neutral");
      item.setAttribute("aria-selected", String(on));
      if (on) item.scrollIntoView({ block: "nearest" });
    }
    byId("preset-name").textContent = chosen?.title ?? "neutral, the face at rest";
    byId("edited").textContent = file?.edited ? "not saved yet" : "";
    button("preset-reset").disabled = !chosen;
    this.pose();
  }

  private pose(): void {
    if (!document.body.classList.contains("presets")) return;
    const { chosen, file } = this;
    const value = (channel: string): number => (chosen && file ? file.value(chosen, channel) : 0);
    const turns = TURNS.map((axis) => (chosen && file ? (file.head(chosen, axis) * Math.PI) / 180 : 0));
    this.head.pose([...this.rig, "headYaw", "headPitch", "headRoll"], [...this.rig.map(value), ...turns]);
  }
}

function cell(range: HTMLInputElement): HTMLElement {
  return el("div", { class: "cell" }, range, el("output", {}));
}
