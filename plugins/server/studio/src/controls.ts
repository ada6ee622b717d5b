// What holds for the whole performance: profile, voice, strength, transition, the five of MEAD.
import * as api from "./api";
import { byId, el, input, select, two } from "./dom";
import { MEAD, type Mead, type Options, type Profile } from "./types";

type Whole = Omit<Options, "emotion" | "track">;

export class Controls {
  onchange: () => void = () => {};
  private profiles: Profile[] = [];

  async load(profiles: Profile[]): Promise<void> {
    this.profiles = profiles;
    if (!this.profiles.length) throw new Error("The server has no profile to animate with.");
    select("profile").append(...this.profiles.map(({ name }) => new Option(name, name)));
    const usual = this.profiles.find(({ name }) => name === "default") ?? this.profiles[0];
    select("profile").value = usual.name;
    this.mead();
    for (const id of ["strength", "transition"]) {
      input(id).oninput = () => this.show();
      input(id).onchange = () => this.onchange();
    }
    select("profile").onchange = async () => {
      await this.chosen();
      this.onchange();
    };
    select("voice").onchange = () => this.onchange();
    this.show();
    await this.chosen();
  }

  private get profile(): Profile {
    return this.profiles.find(({ name }) => name === select("profile").value) ?? this.profiles[0];
  }

  get speaks(): boolean {
    return this.profile.voice;
  }

  private async chosen(): Promise<void> {
    const { name, summary, voice } = this.profile;
    select("profile").title = summary;
    const voices = voice ? await api.voices(name) : [];
    const kept = select("voice").value;
    select("voice").replaceChildren(
      new Option("as the profile says", ""),
      ...voices.map((entry) => new Option(`${entry.name} (${entry.id})`, entry.id)),
    );
    if (voices.some(({ id }) => id === kept)) select("voice").value = kept;
    select("voice").disabled = !voices.length;
  }

  private mead(): void {
    const changed = (): void => {
      this.show();
      this.onchange();
    };
    for (const name of MEAD) {
      const range = el("input", { type: "range", min: 0, max: 1, step: 0.01, value: name === "neutral" ? 1 : 0, id: `mead-${name}` });
      range.oninput = () => this.show();
      range.onchange = changed;
      byId("mead").append(
        el("label", { class: "row", for: range.id }, el("span", {}, name), range, el("output", { id: `mead-${name}-value` })),
      );
    }
    input("mead-on").onchange = changed;
    byId<HTMLDetailsElement>("advanced").ontoggle = () => byId("advanced").scrollIntoView({ block: "end" });
  }

  private show(): void {
    byId("strength-value").textContent = two(Number(input("strength").value));
    byId("transition-value").textContent = `${two(Number(input("transition").value))} s`;
    byId("mead").toggleAttribute("disabled", !input("mead-on").checked);
    for (const name of MEAD) byId(`mead-${name}-value`).textContent = two(Number(input(`mead-${name}`).value));
  }

  options(): Whole {
    const values = Object.fromEntries(MEAD.map((name) => [name, Number(input(`mead-${name}`).value)])) as Mead;
    const voice = select("voice").value;
    return {
      profile: this.profile.name,
      ...(voice ? { voice } : {}),
      strength: Number(input("strength").value),
      transition: Number(input("transition").value),
      mead: input("mead-on").checked ? values : null,
    };
  }
}
