// ARKit's 52 channels as the editor lays them out: by region, mirrored ones side by side.

export interface Row {
  label: string;
  channels: [string] | [right: string, left: string]; // as seen from the front
}

const TITLES: Record<string, string[]> = {
  Brows: ["browInnerUp", "browDown", "browOuterUp"],
  Eyes: ["eyeBlink", "eyeWide", "eyeSquint", "eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut"],
  "Cheeks and nose": ["cheekPuff", "cheekSquint", "noseSneer"],
  Jaw: ["jawOpen", "jawForward", "jawLeft", "jawRight"],
  Lips: [
    "mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch", "mouthPress", "mouthUpperUp", "mouthLowerDown",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollUpper", "mouthRollLower", "mouthShrugUpper",
    "mouthShrugLower", "mouthLeft", "mouthRight",
  ],
  Tongue: ["tongueOut"],
}; // prettier-ignore

const REGION = /^(brow|eye|cheek|nose|jaw|mouth)/;

const spaced = (name: string): string => {
  const words = name.replace(REGION, "").replace(/([A-Z])/g, " $1").trim().toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export function groups(rig: readonly string[]): [title: string, rows: Row[]][] {
  return Object.entries(TITLES).map(([title, names]) => [
    title,
    names.map((name) => ({
      label: title === "Tongue" ? "Tongue out" : spaced(name),
      channels: rig.includes(name) ? [name] : [`${name}Right`, `${name}Left`],
    })),
  ]);
}

// The channel of the other side; jaw and mouth to the left are no mirror of the right.
export function mirror(channel: string): string | null {
  if (/^(jaw|mouth)(Left|Right)$/.test(channel)) return null;
  if (channel.endsWith("Left")) return channel.slice(0, -4) + "Right";
  if (channel.endsWith("Right")) return channel.slice(0, -5) + "Left";
  return null;
}

export const LOOK = {
  yaw: { plus: ["eyeLookInLeft", "eyeLookOutRight"], minus: ["eyeLookOutLeft", "eyeLookInRight"] },
  pitch: { plus: ["eyeLookDownLeft", "eyeLookDownRight"], minus: ["eyeLookUpLeft", "eyeLookUpRight"] },
} as const;
export const FULL_LOOK = 35; // degrees of an eye at 1.0 of a look channel
