// The head: morph targets and turning nodes, drawn with three.
import * as THREE from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";

// As in facewire_preview.pose: an eyeLook channel of 1 is 35 degrees, pitch ends at 26.
const FULL_LOOK = (35 * Math.PI) / 180;
const MOST_PITCH = (26 * Math.PI) / 180;
const LOOK = {
  leftEye: [["eyeLookInLeft", "eyeLookOutLeft"], ["eyeLookDownLeft", "eyeLookUpLeft"]],
  rightEye: [["eyeLookOutRight", "eyeLookInRight"], ["eyeLookDownRight", "eyeLookUpRight"]],
};
const ANGLE = 22; // degrees, of the camera

const larger = (a, b) => (Math.abs(b) > Math.abs(a) ? b : a);

export class Face {
  constructor(canvas, take) {
    this.canvas = canvas;
    this.take = take;
    this.renderer = new THREE.WebGLRenderer({
      canvas,
      antialias: true,
      alpha: true,
      preserveDrawingBuffer: true, // so that a picture of the page shows the face
    });
    this.scene = new THREE.Scene();
    this.stand = new THREE.Group(); // what the user turns
    this.scene.add(this.stand);
    this.camera = new THREE.PerspectiveCamera(ANGLE, 1, 0.001, 1000);
    this.yaw = this.pitch = 0;
    this.zoom = 1;
    this.lights();
  }

  lights() {
    const lamp = (color, strength, x, y, z) => {
      const light = new THREE.DirectionalLight(color, strength);
      light.position.set(x, y, z);
      this.scene.add(light);
    };
    this.scene.add(new THREE.HemisphereLight(0xdfe6f2, 0x8f7f72, 1.15));
    lamp(0xfff3e4, 2.1, -0.4, 0.4, 0.82);
    lamp(0xdce8ff, 0.7, 0.8, 0.05, 0.55);
    lamp(0xfff8f0, 0.5, 0.55, 0.45, -0.75);
  }

  async load() {
    const { about, head } = this.take;
    const gltf = await new GLTFLoader().parseAsync(head, "");
    const model = gltf.scene;
    if (gltf.parser.json.extensions?.VRM) model.rotation.y = Math.PI; // VRM 0 looks along -z
    const meshes = new Map();
    model.traverse((node) => {
      node.frustumCulled = false; // targets move vertices out of the box at rest
      if (!node.isMesh || !node.morphTargetInfluences) return;
      const index = gltf.parser.associations.get(node)?.meshes;
      if (!meshes.has(index)) meshes.set(index, []);
      meshes.get(index).push(node);
    });
    this.bind(meshes);
    await this.turned(gltf.parser);
    const centre = new THREE.Vector3(...about.centre);
    model.position.sub(centre);
    this.stand.add(model);
    this.away = about.reach / Math.tan((ANGLE * Math.PI) / 360);
  }

  bind(meshes) {
    this.moves = []; // column, then what it moves
    for (const [channel, targets] of Object.entries(this.take.about.targets)) {
      const column = this.take.column(channel);
      if (column < 0) continue;
      for (const [mesh, index, weight] of targets)
        for (const node of meshes.get(mesh) ?? []) this.moves.push({ column, node, index, weight });
    }
  }

  async turned(parser) {
    this.turns = [];
    for (const [part, index] of Object.entries(this.take.about.nodes)) {
      const node = await parser.getDependency("node", index);
      node.updateWorldMatrix(true, false);
      const above = new THREE.Quaternion();
      node.parent?.getWorldQuaternion(above);
      this.turns.push({ part, node, above, back: above.clone().invert(), rest: node.quaternion.clone() });
    }
  }

  // Values between two frames are straight lines, as they are when a run is resampled.
  show(seconds) {
    const { take } = this;
    if (!take.rows || !this.moves) return;
    const at = Math.min(Math.max(0, seconds * take.fps), take.rows - 1);
    const row = Math.floor(at);
    const next = Math.min(row + 1, take.rows - 1);
    const share = at - row;
    const value = (column) => {
      const values = take.channels[column];
      return values[row] + share * (values[next] - values[row]);
    };
    for (const { node } of this.moves) node.morphTargetInfluences.fill(0);
    for (const { column, node, index, weight } of this.moves)
      node.morphTargetInfluences[index] += weight * Math.max(-10, Math.min(10, value(column)));
    const named = (name) => (take.column(name) < 0 ? 0 : value(take.column(name)));
    for (const turn of this.turns) this.turn(turn, this.angles(turn.part, named));
  }

  angles(part, value) {
    let [yaw, pitch, roll] = ["Yaw", "Pitch", "Roll"].map((axis) => value(part + axis));
    if (part in LOOK) {
      if (this.take.about.look) {
        const [across, down] = LOOK[part].map(([to, from]) => FULL_LOOK * (value(to) - value(from)));
        yaw = larger(yaw, across);
        pitch = larger(pitch, down);
      }
      pitch = Math.max(-MOST_PITCH, Math.min(MOST_PITCH, pitch));
    }
    return [yaw, pitch, roll];
  }

  turn({ node, above, back, rest }, [yaw, pitch, roll]) {
    const by = new THREE.Quaternion().setFromEuler(new THREE.Euler(pitch, -yaw, roll, "YXZ"));
    node.quaternion.copy(back).multiply(by).multiply(above).multiply(rest);
  }

  draw() {
    const { canvas, renderer, camera } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !height || !this.moves) return;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      renderer.setPixelRatio(ratio);
      renderer.setSize(width, height, false);
      camera.aspect = width / height;
    }
    const away = (this.away / Math.min(1, camera.aspect)) * this.zoom;
    camera.position.set(0, 0, away);
    camera.near = away / 50;
    camera.far = away * 50;
    camera.updateProjectionMatrix();
    this.stand.rotation.set(this.pitch, -this.yaw, 0, "YXZ");
    renderer.render(this.scene, camera);
  }

  // Drag to turn, wheel to come nearer.
  steer(changed) {
    let last = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      last = event;
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      this.look(this.yaw - (event.clientX - last.clientX) / 150, this.pitch + (event.clientY - last.clientY) / 200);
      last = event;
      changed();
    });
    for (const name of ["pointerup", "pointercancel"])
      this.canvas.addEventListener(name, () => (last = null));
    this.canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.zoom = Math.max(0.4, Math.min(3, this.zoom * Math.exp(event.deltaY / 800)));
        changed();
      },
      { passive: false },
    );
  }

  look(yaw, pitch) {
    this.yaw = yaw;
    this.pitch = Math.max(-1.2, Math.min(1.2, pitch));
  }
}
