// The head in the middle: the preview's face, shown one row of values by name.
import { Face, type Shown } from "@player/face.js";

const TURNS = ["head", "leftEye", "rightEye"].flatMap((part) => ["Yaw", "Pitch", "Roll"].map((axis) => part + axis));
const NODES: Record<string, string> = { head: "head", eyeLeft: "leftEye", eyeRight: "rightEye" };

interface Gltf {
  meshes: { extras?: { targetNames?: string[] } }[];
  nodes: { name?: string; translation?: [number, number, number] }[];
}

function document_(glb: ArrayBuffer): Gltf {
  const size = new DataView(glb).getUint32(12, true);
  return JSON.parse(new TextDecoder().decode(new Uint8Array(glb, 20, size))) as Gltf;
}

// Which targets and nodes the file has, and where to look: the eyes say how large a face is.
function about(glb: ArrayBuffer): Shown["about"] {
  const { meshes, nodes } = document_(glb);
  const targets: Shown["about"]["targets"] = {};
  meshes.forEach((mesh, m) =>
    mesh.extras?.targetNames?.forEach((name, t) => (targets[name] ??= []).push([m, t, 1])),
  );
  const found: Record<string, number> = {};
  nodes.forEach((node, n) => {
    const part = NODES[node.name ?? ""];
    if (part) found[part] = n;
  });
  const eyes = ["leftEye", "rightEye"].map((part) => nodes[found[part]]?.translation);
  const [left, right] = eyes;
  if (!left || !right) throw new Error("the server's head has no eyes");
  const apart = left[0] - right[0];
  const centre: [number, number, number] = [0, left[1] - 0.3 * apart, left[2] - 0.27 * apart];
  return { targets, nodes: found, look: true, centre, reach: 2.12 * apart };
}

export class Head {
  stale = true;
  private readonly index: Map<string, number>;
  private readonly values: Float32Array[];
  private readonly face: Face;

  private constructor(canvas: HTMLCanvasElement, glb: ArrayBuffer) {
    const told = about(glb);
    const names = [...Object.keys(told.targets), ...TURNS];
    this.index = new Map(names.map((name, i) => [name, i]));
    this.values = names.map(() => new Float32Array(1));
    this.face = new Face(canvas, {
      about: told,
      head: glb,
      rows: 1,
      fps: 1,
      channels: this.values,
      column: (name) => this.index.get(name) ?? -1,
    });
  }

  static async load(canvas: HTMLCanvasElement, glb: ArrayBuffer): Promise<Head> {
    const head = new Head(canvas, glb);
    await head.face.load();
    head.face.steer(() => (head.stale = true));
    return head;
  }

  pose(rig: readonly string[], row: ArrayLike<number>): void {
    for (const value of this.values) value[0] = 0;
    rig.forEach((name, i) => {
      const at = this.index.get(name);
      if (at !== undefined) this.values[at][0] = row[i];
    });
    this.face.show(0);
    this.stale = true;
  }

  draw(): void {
    if (!this.stale) return;
    this.stale = false;
    this.face.draw();
  }

  front(): void {
    this.face.look(0, 0);
    this.face.zoom = 1;
    this.stale = true;
  }

  turn(by: number): void {
    this.face.look(this.face.yaw + by, this.face.pitch);
    this.stale = true;
  }
}
