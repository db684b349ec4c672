// Bundles the front end: style sheet, script, icon sprite and pictures, each under a name that carries a hash of
// its content, so that a browser may keep it for ever. What the pages need to find them is manifest.json.
//
//     node build.mjs OUTPUT_FOLDER
//
// The build is the same byte for byte on every machine, and asks nothing of the network.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join, parse, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "esbuild";
import { compileAsync } from "sass";

const HERE = dirname(fileURLToPath(import.meta.url));
const ENTRIES = ["app.ts", "app.css"];
// The oldest browsers that know the colour functions of Tabler's style sheet.
const BROWSERS = ["chrome111", "edge111", "firefox113", "safari16.4"];
const COMPRESSIBLE = new Set([".js", ".css", ".svg", ".json", ".txt"]);
const SYMBOL_ATTRIBUTES = {
  outline:
    'viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"',
  filled: 'viewBox="0 0 24 24" fill="currentColor"',
};

class BuildError extends Error {}

/** Lets style sheets import Sass: Tabler's parts are taken one by one. */
const SASS = {
  name: "sass",
  setup(bundler) {
    bundler.onLoad({ filter: /\.scss$/ }, async ({ path }) => {
      const { css } = await compileAsync(path, { loadPaths: [join(HERE, "node_modules")], quietDeps: true });
      return { contents: css, loader: "css", resolveDir: dirname(path) };
    });
  },
};

/** Bundles the entry points; returns the files by logical name and the paths of all sources that went into them. */
async function bundle() {
  const result = await build({
    absWorkingDir: HERE,
    entryPoints: ENTRIES.map((name) => join("src", name)),
    outdir: "out",
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    charset: "utf8",
    format: "iife",
    target: ["es2022", ...BROWSERS],
    legalComments: "external",
    loader: { ".svg": "dataurl", ".woff2": "file" },
    assetNames: "[name].[hash]",
    plugins: [SASS],
    logLevel: "warning",
  });
  const files = new Map();
  const notices = [];
  for (const file of result.outputFiles) {
    const name = relative(join(HERE, "out"), file.path);
    if (name.endsWith(".LEGAL.txt")) notices.push(file.text.trim());
    else files.set(name, Buffer.from(file.contents));
  }
  return { files, notices, sources: Object.keys(result.metafile.inputs) };
}

/** Reads icons.json; "flag" is the outline, "filled/flag" the filled drawing, known to pages as "flag-filled". */
async function sprite() {
  const wanted = JSON.parse(await readFile(join(HERE, "src", "icons.json"), "utf8"));
  const symbols = await Promise.all([...new Set(wanted)].sort().map(symbol));
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
}

async function symbol(name) {
  const filled = name.startsWith("filled/");
  const style = filled ? "filled" : "outline";
  const base = filled ? name.slice("filled/".length) : name;
  if (!/^[a-z0-9-]+$/.test(base)) throw new BuildError(`src/icons.json: "${name}" is not the name of an icon`);
  const path = join(HERE, "node_modules", "@tabler", "icons", "icons", style, `${base}.svg`);
  const drawing = await readFile(path, "utf8").catch(() => {
    throw new BuildError(`src/icons.json: Tabler has no ${style} icon named "${base}"`);
  });
  const shapes = drawing
    .slice(drawing.indexOf(">", drawing.indexOf("<svg")) + 1, drawing.lastIndexOf("</svg>"))
    .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, "")
    .replace(/\s*\n\s*/g, "");
  const id = filled ? `${base}-filled` : base;
  return `<symbol id="${id}" ${SYMBOL_ATTRIBUTES[style]}>${shapes}</symbol>`;
}

/** The pictures that are used as they are: logo, favicon. */
async function pictures() {
  const folder = join(HERE, "static");
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).map((e) => e.name);
  return Promise.all(names.sort().map(async (name) => [name, await readFile(join(folder, name))]));
}

/** What the licences of the bundled packages ask for: their texts and the notices found in their sources. */
async function licences(sources, notices) {
  const packages = new Set(["@tabler/core", "@tabler/icons"]);
  for (const source of sources) {
    const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source.split(sep).join("/"));
    if (match) packages.add(match[1]);
  }
  const parts = await Promise.all([...packages].sort().map(licence));
  const heading = "Chatsubo's pages carry parts of these packages.\n";
  return Buffer.from([heading, ...parts, ...notices].join(`\n${"-".repeat(78)}\n\n`) + "\n");
}

async function licence(name) {
  const folder = join(HERE, "node_modules", name);
  const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e(\.(md|txt))?$/i.test(entry));
  if (!file && !about.license) throw new BuildError(`the package ${name} does not say its licence`);
  const author = typeof about.author === "object" ? about.author.name : about.author;
  const text = file
    ? await readFile(join(folder, file), "utf8")
    : `Copyright (c) ${author ?? name}\n\n${await terms(about.license)}`;
  return `${name} ${about.version}${about.license ? ` (${about.license})` : ""}\n\n${text.trim()}\n`;
}

/** The terms of a licence that a package names without carrying its text. */
async function terms(license) {
  if (license !== "MIT") throw new BuildError(`no text of the licence ${license} is at hand`);
  const text = await readFile(join(HERE, "node_modules", "@tabler", "icons", "LICENSE"), "utf8");
  return text.slice(text.indexOf("Permission is hereby granted"));
}

function hashed(name, content) {
  const { name: stem, ext } = parse(name);
  return `${stem}.${createHash("sha256").update(content).digest("hex").slice(0, 10)}${ext}`;
}

async function compressed(content) {
  const parameters = {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  };
  return Promise.all([promisify(gzip)(content, { level: 9 }), promisify(brotliCompress)(content, parameters)]);
}

async function put(folder, name, content) {
  await writeFile(join(folder, name), content);
  if (!COMPRESSIBLE.has(extname(name))) return;
  const [gz, br] = await compressed(content);
  await Promise.all([writeFile(join(folder, `${name}.gz`), gz), writeFile(join(folder, `${name}.br`), br)]);
}

async function main(folder) {
  const { files, notices, sources } = await bundle();
  files.set("icons.svg", await sprite());
  for (const [name, content] of await pictures()) files.set(name, content);
  const manifest = {};
  for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    // The bundler has named fonts by their hash already, since the style sheet refers to them.
    if (extname(name) === ".woff2") manifest[name.replace(/\.[A-Z0-9]{8}(?=\.woff2$)/, "")] = name;
    else manifest[name] = hashed(name, content);
  }
  const texts = await licences(sources, notices);

  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all([...files].map(([name, content]) => put(folder, manifest[name] ?? name, content)));
  await put(folder, "LICENSES.txt", texts);
  // Last, since a manifest says that everything it names is there.
  await writeFile(join(folder, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

const [output] = process.argv.slice(2);
if (!output) {
  console.error("usage: node build.mjs OUTPUT_FOLDER");
  process.exit(2);
}
try {
  await main(resolve(output));
} catch (error) {
  // esbuild has told what is wrong in a source already.
  if (error instanceof BuildError) console.error(error.message);
  else if (!error.errors) console.error(error);
  process.exit(1);
}
