// Light or dark: as the machine has it, until the user chooses.
import { button } from "./dom";

const KEEP = "facewire-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export function theme(changed: () => void): void {
  const apply = (): void => {
    const now = localStorage.getItem(KEEP) ?? (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = now;
    button("theme").setAttribute("aria-pressed", String(now === "dark"));
    changed();
  };
  button("theme").onclick = () => {
    localStorage.setItem(KEEP, document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    apply();
  };
  dark.addEventListener("change", apply);
  apply();
}
