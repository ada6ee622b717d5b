// Writes the studio into the Python package: relative addresses, one script, the licences of what
// is bundled, and a hash of the sources, so that a test can tell a stale build without node.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineConfig } from "vite";

const root = import.meta.dirname;
const player = resolve(root, "../../preview/player/src");
const faces = resolve(root, "../../v3/src/facewire_v3/data");
const out = resolve(root, "../src/facewire_server/data/studio");

// As in tests/plugins/test_studio_build.py: names in order, each with its bytes.
function sources() {
  const own = ["index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.js"];
  for (const folder of ["src", "public"])
    for (const name of readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
      if (name.isFile()) own.push(join(name.parentPath, name.name).slice(root.length + 1));
  const files = own.map((name) => [name, join(root, name)]);
  for (const name of ["clock.js", "face.js", "timeline.js"]) files.push([`player/${name}`, join(player, name)]);
  files.push(["faces/presets.yaml", join(faces, "presets.yaml")]);
  const hash = createHash("sha256");
  for (const [name, path] of files.sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${name}\n`).update(readFileSync(path));
  return hash.digest("hex");
}

function licences() {
  return {
    name: "licences",
    transformIndexHtml: (html) => html.replace("{{SOURCES}}", sources()),
    generateBundle() {
      const texts = ["The studio of facewire-server is under the Apache License 2.0. Its script contains:"];
      for (const name of ["three", "yaml"]) {
        const about = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
        const text = readFileSync(join(root, "node_modules", name, "LICENSE"), "utf8").trim();
        texts.push(`${name} ${about.version} (${about.license})\n\n${text}`);
      }
      const source = texts.join(`\n\n${"-".repeat(72)}\n\n`) + "\n";
      this.emitFile({ type: "asset", fileName: "LICENSES.txt", source });
    },
  };
}

export default defineConfig({
  root,
  base: "./",
  plugins: [licences()],
  resolve: { alias: { "@player": player, "@faces": faces }, dedupe: ["three"] },
  build: {
    outDir: out,
    emptyOutDir: true,
    assetsDir: ".",
    assetsInlineLimit: 0,
    modulePreload: false,
    target: "es2022",
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      output: { entryFileNames: "page.js", assetFileNames: "page[extname]" },
    },
  },
  server: { proxy: { "/v1": { target: "http://127.0.0.1:8000", ws: true } } },
});
