// Bundles the player and three into ../src/facewire_preview/data/player.js, with three's licence.
import { build } from "esbuild";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";

const data = "../src/facewire_preview/data";
const made = await build({
  entryPoints: ["src/main.js"],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2021",
  legalComments: "none",
  write: false,
});
// "</script" would end the element that the page holds the player in
const code = made.outputFiles[0].text.replaceAll("</script", "<\\/script");
// the page goes out alone, so three's licence is in it
const licence = readFileSync("node_modules/three/LICENSE", "utf8").trim();
const notice = `/*! The player of facewire-preview, Apache-2.0. It contains three.js:\n\n${licence}\n*/\n`;
writeFileSync(`${data}/player.js`, notice + code);
copyFileSync("node_modules/three/LICENSE", `${data}/LICENSE-three.txt`);
console.log(`player.js: ${Math.round(readFileSync(`${data}/player.js`).length / 1024)} KiB`);
