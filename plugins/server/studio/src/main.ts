// Puts the studio together, and the keys that hold everywhere.
import "./style.css";
import * as api from "./api";
import { Controls } from "./controls";
import { byId, button, input, wanted } from "./dom";
import { Emotions } from "./emotion";
import { exports } from "./exports";
import { Head } from "./head";
import { Keys } from "./keys";
import { Lanes } from "./lanes";
import { doing, hush, tell } from "./notice";
import { Pad } from "./pad";
import { Playback } from "./playback";
import { Editor } from "./presets/editor";
import { Stage } from "./stage";
import { Studio } from "./studio";
import { theme } from "./theme";
import type { Profile } from "./types";

const text = (): string => byId<HTMLTextAreaElement>("text").value.trim();

let repaint: () => void = () => {};

// A server that wants a token says so at the first request.
async function allowed(): Promise<Profile[]> {
  for (;;) {
    try {
      return await api.profiles();
    } catch (error) {
      if (!(error instanceof api.ServerError) || (error.status !== 401 && error.status !== 403)) throw error;
      await asked();
    }
  }
}

function asked(): Promise<void> {
  const dialog = byId<HTMLDialogElement>("token");
  dialog.showModal();
  return new Promise((given) => {
    dialog.onclose = () => {
      api.setToken(input("token-text").value);
      given();
    };
  });
}

function panels(editor: Editor, stage: Stage, leave: () => void): void {
  for (const [id, presets] of [["view-perform", false], ["view-presets", true]] as const) {
    button(id).onclick = () => {
      document.body.classList.toggle("presets", presets);
      button("view-perform").setAttribute("aria-selected", String(!presets));
      button("view-presets").setAttribute("aria-selected", String(presets));
      hush();
      if (presets) {
        leave();
        editor.enter();
      }
      stage.changed();
      stage.head.stale = true;
    };
  }
  byId("views").onkeydown = (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = document.body.classList.contains("presets") ? "view-perform" : "view-presets";
    button(other).focus();
    button(other).click();
  };
}

function source(studio: Studio): void {
  button("speak").onclick = () => void studio.speak(text());
  byId("text").onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void studio.speak(text());
  };
  button("record").onclick = () => void studio.record();
  button("interrupt").onclick = () => studio.interrupt();
  const drop = byId("drop");
  const file = input("file");
  file.onchange = () => {
    const chosen = file.files?.[0];
    if (chosen) void studio.use(chosen, chosen.name);
    file.value = "";
  };
  // anywhere on the page: nobody should have to aim
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return; // words go into the text
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    const dropped = event.dataTransfer?.files[0];
    if (!dropped) return;
    event.preventDefault();
    drop.classList.remove("over");
    void studio.use(dropped, dropped.name);
  });
}

function transport(studio: Studio, stage: Stage, keys: Keys): void {
  const { playback } = stage;
  const loop = (): void => {
    playback.loop = !playback.loop;
    button("loop").setAttribute("aria-pressed", String(playback.loop));
  };
  button("play").onclick = () => studio.toggle(text());
  button("loop").onclick = loop;
  button("front").onclick = () => stage.head.front();
  button("add-key").onclick = () => keys.add(playback.now());
  const speed = byId<HTMLSelectElement>("speed");
  speed.onchange = () => playback.speed(Number(speed.value));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !button("interrupt").disabled) return studio.interrupt();
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || wanted(event)) return;
    const acts: Record<string, () => void> = {
      f: () => stage.head.front(),
      a: () => stage.head.turn(0.15),
      d: () => stage.head.turn(-0.15),
    };
    if (!document.body.classList.contains("presets"))
      Object.assign(acts, {
        " ": () => studio.toggle(text()),
        ArrowLeft: () => studio.step(event.shiftKey ? -10 : -1),
        ArrowRight: () => studio.step(event.shiftKey ? 10 : 1),
        Home: () => studio.seek(0),
        End: () => studio.seek(stage.take.seconds),
        k: () => keys.add(playback.now()),
        l: loop,
        r: () => void studio.record(),
      });
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

async function begin(): Promise<void> {
  doing("thinking");
  const profiles = await allowed();
  const controls = new Controls();
  const [emotions, glb, sketch] = await Promise.all([
    api.vocabulary().then((vocabulary) => new Emotions(vocabulary)),
    api.head(),
    api.sketch(),
    controls.load(profiles),
  ]);
  const keys = new Keys(emotions);
  const lanes = new Lanes(keys, emotions);
  const stage = new Stage(await Head.load(byId<HTMLCanvasElement>("face"), glb), lanes, new Playback());
  const studio = new Studio(stage, keys, emotions, controls);
  const pad = new Pad(emotions, (feeling, settled) => keys.feel(feeling, settled));
  stage.rest = () => {
    stage.head.pose(sketch.rig, sketch.face(emotions.place(keys.selected.feeling)));
  };
  keys.onchange = (settled) => {
    pad.show(keys.selected.feeling);
    const { at } = keys.selected;
    byId("where").textContent = keys.selected === keys.first ? "from the beginning" : `from ${at.toFixed(2)} s`;
    studio.edited(settled);
  };
  keys.onchange(false);
  controls.onchange = () => studio.edited(true);
  lanes.onseek = (seconds) => studio.seek(seconds);
  lanes.onstep = (frames) => studio.step(frames);
  source(studio);
  transport(studio, stage, keys);
  panels(new Editor(sketch.rig, stage.head), stage, () => stage.playback.halt());
  repaint = () => {
    lanes.changed();
    stage.changed();
  };
  new ResizeObserver(() => (stage.head.stale = true)).observe(byId("face"));
  await exports(() => studio.wanted());
  doing("idle");
}

button("error-close").onclick = hush;
theme(() => repaint());
begin().then(
  () => (document.body.dataset.ready = "true"),
  (error: unknown) => {
    tell(error);
    document.body.dataset.ready = "failed";
  },
);
