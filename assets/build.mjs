// Builds usher/static/dist from the packages in the lock file: fonts, htmx, icons, one stylesheet.
// Plain Node 20 or newer, nothing but its standard library: `npm ci && node assets/build.mjs`.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const packages = join(root, "node_modules");
const target = join(root, "usher", "static", "dist");
// Built beside the target and moved at the end, so that a running server never reads half of it.
const out = join(root, "usher", "static", ".dist-new");

const FONTS = [
  { pkg: "atkinson-hyperlegible-next", family: "Atkinson Hyperlegible Next", weights: [400, 600, 700], subsets: ["latin", "latin-ext"] },
  { pkg: "atkinson-hyperlegible-mono", family: "Atkinson Hyperlegible Mono", weights: [400, 700], subsets: ["latin", "latin-ext"] },
  {
    pkg: "noto-sans", family: "Noto Sans", weights: [400, 600, 700],
    subsets: ["latin-ext", "vietnamese", "greek", "greek-ext", "cyrillic", "cyrillic-ext", "devanagari"],
  },
  { pkg: "noto-sans-arabic", family: "Noto Sans Arabic", weights: [400, 600, 700], subsets: ["arabic"] },
];
const LICENSES = ["@fontsource/atkinson-hyperlegible-next", "@fontsource/atkinson-hyperlegible-mono", "@fontsource/noto-sans",
  "@fontsource/noto-sans-arabic", "@tabler/icons", "htmx.org", "daisyui", "tailwindcss"];

function read(...parts) {
  return readFileSync(join(...parts), "utf8");
}

function fontFaces() {
  mkdirSync(join(out, "fonts"), { recursive: true });
  return FONTS.flatMap((font) => {
    const home = join(packages, "@fontsource", font.pkg);
    const ranges = JSON.parse(read(home, "unicode.json"));
    return font.subsets.flatMap((subset) => font.weights.map((weight) => fontFace(font, home, subset, weight, ranges[subset])));
  }).join("");
}

function fontFace(font, home, subset, weight, range) {
  const file = `${font.pkg}-${subset}-${weight}-normal.woff2`;
  cpSync(join(home, "files", file), join(out, "fonts", file));
  return `@font-face{font-family:"${font.family}";font-weight:${weight};font-style:normal;font-display:swap;`
    + `src:url("fonts/${file}") format("woff2");unicode-range:${range}}`;
}

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "dist") yield* sources(path);
    else if (/\.(html|py)$/.test(entry.name)) yield path;
  }
}

function iconNames() {
  const listed = read(root, "assets", "icons.txt").split("\n").filter((line) => line && !line.startsWith("#"));
  const names = new Set(listed.map((line) => line.trim()));
  for (const path of sources(join(root, "usher"))) {
    for (const [, name] of read(path).matchAll(/\bicon[ =]\s*"([a-z0-9-]+)"/g)) names.add(name);
  }
  return [...names].sort();
}

function symbol(name) {
  const file = join(packages, "@tabler", "icons", "icons", "outline", `${name}.svg`);
  if (!existsSync(file)) throw new Error(`There is no Tabler outline icon "${name}". Choose another name.`);
  const inner = read(file).replace(/^[\s\S]*?<svg[^>]*>/, "").replace("</svg>", "").replace(/\s*<path stroke="none"[^>]*\/>/, "");
  return `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s*\n\s*/g, "")}</symbol>`;
}

function sprite() {
  const names = iconNames();
  writeFileSync(join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${names.map(symbol).join("")}</svg>\n`);
  return names.length;
}

function stylesheet() {
  const cli = join(packages, "@tailwindcss", "cli", "dist", "index.mjs");
  const file = join(out, "usher.css");
  const run = spawnSync(process.execPath, [cli, "-i", join(root, "assets", "theme.css"), "-o", file, "--minify"], { cwd: root, encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr || run.stdout);
  writeFileSync(file, fontFaces() + read(file));
}

function scripts() {
  cpSync(join(packages, "htmx.org", "dist", "htmx.min.js"), join(out, "htmx.min.js"));
}

function licenses() {
  mkdirSync(join(out, "licenses"), { recursive: true });
  for (const name of LICENSES) {
    const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].map((end) => join(packages, name, end)).find((path) => existsSync(path));
    if (file) cpSync(file, join(out, "licenses", `${name.replace("@", "").replace("/", "-")}.txt`));
  }
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
stylesheet();
scripts();
licenses();
const icons = sprite();
rmSync(target, { recursive: true, force: true });
renameSync(out, target);
console.log(`usher/static/dist: stylesheet ${Math.round(read(target, "usher.css").length / 1024)} kB, ${icons} icons, ${readdirSync(join(target, "fonts")).length} fonts`);
