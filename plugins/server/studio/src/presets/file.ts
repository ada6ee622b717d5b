// The file of authored faces that the expression layer reads; what is not edited stays as written.
import { Document, isMap, parseDocument, YAMLMap, YAMLSeq, type Pair } from "yaml";
import { FULL_LOOK, LOOK, mirror } from "./channels";

export const TURNS = ["yaw", "pitch", "roll"] as const;
type Axis = (typeof TURNS)[number];

export interface Authored {
  title: string;
  family: string;
  column: number; // of the family's rows: L1, L3, L5
}

// One family's numbers, a list for each level.
interface Family {
  count: number;
  face: Map<string, number[]>;
  head: Record<Axis, number[]>;
  gaze: Record<"yaw" | "pitch", number[]>;
  edited: boolean;
}

const JOYFUL = "joyful_surprise";
const LEVELS = ["L1", "L3", "L5"];

export class PresetFile {
  readonly presets: Authored[] = [];
  private readonly families = new Map<string, Family>();

  private constructor(
    private readonly document: Document.Parsed,
    readonly rig: readonly string[],
  ) {}

  static parse(text: string, rig: readonly string[]): PresetFile {
    const document = parseDocument(text, { keepSourceTokens: true });
    if (document.errors.length) throw new Error(`This is no file of presets: ${document.errors[0].message.split("\n")[0]}`);
    const file = new PresetFile(document, rig);
    const emotions = document.get("emotions");
    if (!isMap(emotions) || !document.has(JOYFUL)) {
      throw new Error("This is no file of presets: expected the tables emotions and joyful_surprise.");
    }
    for (const { key } of emotions.items as Pair<{ value: string }>[]) file.read(key.value, ["emotions", key.value]);
    file.read(JOYFUL, [JOYFUL]);
    return file;
  }

  private read(family: string, path: string[]): void {
    const row = (this.document.getIn(path) as YAMLMap).toJS(this.document);
    const list = (value: unknown): number[] => (Array.isArray(value) ? value : [value]).map(Number);
    const count = family === JOYFUL ? 1 : LEVELS.length;
    const face = new Map<string, number[]>();
    for (const [name, values] of Object.entries(row.face ?? {})) {
      const sides = this.rig.includes(name) ? [name] : [`${name}Left`, `${name}Right`];
      for (const channel of sides) {
        if (!this.rig.includes(channel)) throw new Error(`In ${family}: ${name} is no channel of the face.`);
        if (list(values).length !== count) throw new Error(`In ${family}: ${name} needs ${count} values.`);
        face.set(channel, list(values));
      }
    }
    const { head, gaze } = row;
    if (!head || !gaze) throw new Error(`In ${family}: head or gaze is missing.`);
    const turns = (from: Record<string, unknown>, axis: string): number[] => list(from[axis]);
    this.families.set(family, {
      count,
      face,
      head: { yaw: turns(head, "yaw"), pitch: turns(head, "pitch"), roll: turns(head, "roll") },
      gaze: { yaw: turns(gaze, "yaw"), pitch: turns(gaze, "pitch") },
      edited: false,
    });
    const title = family.replace("_", " ");
    for (let column = 0; column < count; column++) {
      this.presets.push({ title: count > 1 ? `${title} ${LEVELS[column]}` : title, family, column });
    }
  }

  private of({ family }: Authored): Family {
    const found = this.families.get(family);
    if (!found) throw new Error(`there is no preset ${family}`);
    return found;
  }

  value(preset: Authored, channel: string): number {
    const { face, gaze } = this.of(preset);
    for (const axis of ["yaw", "pitch"] as const) {
      const angle = gaze[axis][preset.column] / FULL_LOOK;
      if ((LOOK[axis].plus as readonly string[]).includes(channel)) return Math.max(0, angle);
      if ((LOOK[axis].minus as readonly string[]).includes(channel)) return Math.max(0, -angle);
    }
    return face.get(channel)?.[preset.column] ?? 0;
  }

  // Both eyes look at one place, so a look channel turns both.
  set(preset: Authored, channel: string, value: number): void {
    const family = this.of(preset);
    family.edited = true;
    for (const axis of ["yaw", "pitch"] as const)
      for (const [side, sign] of [["plus", 1], ["minus", -1]] as const)
        if ((LOOK[axis][side] as readonly string[]).includes(channel)) {
          family.gaze[axis][preset.column] = round(sign * value * FULL_LOOK, 10);
          return;
        }
    const values = family.face.get(channel) ?? new Array<number>(family.count).fill(0);
    values[preset.column] = round(value, 100);
    family.face.set(channel, values);
  }

  head(preset: Authored, axis: Axis): number {
    return this.of(preset).head[axis][preset.column];
  }

  turn(preset: Authored, axis: Axis, degrees: number): void {
    const family = this.of(preset);
    family.edited = true;
    family.head[axis][preset.column] = round(degrees, 10);
  }

  get edited(): boolean {
    return [...this.families.values()].some(({ edited }) => edited);
  }

  text(): string {
    for (const [name, family] of this.families) if (family.edited) this.write(name, family);
    return this.document.toString({ lineWidth: 100, flowCollectionPadding: false });
  }

  // Channels that never move go under `rest`, equal sides under one name, as the authors have it.
  private write(name: string, family: Family): void {
    const path = name === JOYFUL ? [JOYFUL] : ["emotions", name];
    const face = new YAMLMap();
    const rest: string[] = [];
    const given = (values: number[]): unknown => (family.count > 1 ? this.flow(values) : values[0]);
    for (const channel of this.rig) {
      const other = mirror(channel);
      if (channel.startsWith("eyeLook") || (other && channel.endsWith("Right"))) continue;
      const values = family.face.get(channel) ?? new Array<number>(family.count).fill(0);
      const across = other ? (family.face.get(other) ?? new Array<number>(family.count).fill(0)) : values;
      const both = other ? channel.slice(0, -"Left".length) : channel;
      if ([...values, ...across].every((value) => value === 0)) rest.push(both);
      else if (String(values) === String(across)) face.set(both, given(values));
      else {
        face.set(channel, given(values));
        face.set(other, given(across));
      }
    }
    this.document.setIn([...path, "face"], face);
    this.document.setIn([...path, "rest"], this.flow(rest));
    for (const axis of TURNS) this.document.setIn([...path, "head", axis], given(family.head[axis]));
    for (const axis of ["yaw", "pitch"] as const) {
      this.document.setIn([...path, "gaze", axis], given(family.gaze[axis]));
    }
  }

  private flow(values: (string | number)[]): YAMLSeq {
    const made = this.document.createNode(values) as YAMLSeq;
    made.flow = true;
    return made;
  }
}

const round = (value: number, steps: number): number => Math.round(value * steps) / steps || 0;
