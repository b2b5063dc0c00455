// Bundles src/ into dist/. The same source gives the same bytes: a file is named by the hash of what is in it, and nothing tells when or where it was made.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = `${here}dist/`;

const { outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.tsx", style: "src/style.css" },
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none", // licences.txt has them
  write: false,
});

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
let page = readFileSync(`${here}src/index.html`, "utf8");

/** Writes an asset, and has the page name it. */
function emit(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const [stem, extension] = name.split(".");
  const file = `${stem}-${hash}.${extension}`;
  writeFileSync(dist + file, content);
  if (!page.includes(`{${name}}`)) throw new Error(`index.html does not name {${name}}`);
  page = page.replaceAll(`{${name}}`, file);
}

for (const { path, contents } of outputFiles) emit(path.slice(dist.length), contents);
emit("icon.svg", readFileSync(`${here}src/icon.svg`));
emit("licences.txt", `This page is made with Preact.\n\n${readFileSync(`${here}node_modules/preact/LICENSE`, "utf8")}`);
writeFileSync(`${dist}index.html`, page);
