/** The house rules as a failing build: arrows, sizes, purity, leftovers, host names. */
import assert from "node:assert/strict";
import plugin from "./lint_plugin.ts";
import { importArrows, impureFiles, isPure, listFiles } from "./tidy_lists.ts";

const root = new URL("../", import.meta.url).pathname;
const fileLinesMax = 400;
/** What deno fmt cannot break: comments and texts. */
const lineWidthMax = 120;

/** Libraries a pure file may import: they compute, and never touch the world. */
const pureLibraries = new Set([
  "valibot",
  "smol-toml",
  "commander",
  "@commander-js/extra-typings",
  "node:assert/strict",
  "node:util",
  "node:buffer",
  "fast-check",
]);
/** What a pure file may take from node:crypto: hashes and ciphers, and never the dice. */
const pureCrypto =
  /^\s*import\s*\{\s*((createHash|createHmac|createCipheriv|createDecipheriv|hkdfSync|timingSafeEqual),?\s*)+\}\s*from "node:crypto"/m;
/** Hosts that text in this repository may link to. */
const knownHosts =
  /^(localhost|node|agent|127\.0\.0\.1|[a-z0-9.-]*\.?example(\.(com|net|org))?|dev\.mysql\.com|mysql\.com|www\.apache\.org|github\.com|www\.jsonrpc\.org|raft\.github\.io|datatracker\.ietf\.org)$/;
// Written in two halves so that this file does not accuse itself.
const leftovers = new RegExp(
  [
    "\\bTO" + "DO\\b",
    "\\bFIX" + "ME\\b",
    "\\bX" + "XX\\b",
    "\\bHA" + "CK\\b",
    "not imple" + "mented",
    "Deno\\.test\\.on" + "ly",
    "\\bonly: tr" + "ue",
    "Deno\\.test\\.ig" + "nore",
    "\\bignore: tr" + "ue",
  ].join("|"),
  "i",
);

const files = listFiles(root);
const sources = files.filter((path) => path.endsWith(".ts"));
const texts = new Map(files.filter(isText).map((path) => [path, read(path)]));

Deno.test("every import follows the arrows between the folders", () => {
  refuseAny(
    sources.flatMap((path) =>
      importsOf(path).map((target) => wrongArrow(path, target)).filter((reason) => reason !== "")
    ),
  );
});

Deno.test("a pure file imports only pure files and libraries that compute", () => {
  refuseAny(
    sources.filter(isPure).flatMap((path) =>
      importsOf(path).filter((target) => !isPureImport(path, target))
        .map((target) => `${path} imports ${target}, which is not pure`)
    ),
  );
});

Deno.test("what is fake serves tests only", () => {
  refuseAny(
    sources.filter((path) => !/^tests\/|_test\.ts$|\/fake_\w+\.ts$/.test(path)).flatMap((path) =>
      importsOf(path).filter((target) => /\/fake_\w+\.ts$/.test(target))
        .map((target) => `${path} imports ${target}, which only tests may`)
    ),
  );
});

Deno.test("every name on the list of impure files is a folder or a file in use", () => {
  const present = (entry: string) => sources.some((path) => path.startsWith(entry));
  const gone = impureFiles.filter((entry) => !present(entry));
  refuseAny(gone.map((entry) => `${entry} is listed as impure but does not exist`));
});

Deno.test("files are named in snake case and stay below their size", () => {
  refuseAny(sources.flatMap((path) => {
    const name = path.split("/").at(-1) ?? "";
    const lines = (texts.get(path) ?? "").split("\n").length - 1;
    return [
      ...(/^[a-z0-9_]+\.ts$/.test(name) ? [] : [`${path} is not snake_case`]),
      ...(lines <= fileLinesMax ? [] : [`${path} has ${lines} lines, the most is ${fileLinesMax}`]),
    ];
  }));
});

Deno.test("scripts keep to the line width", () => {
  refuseAny(
    [...texts].filter(([path]) => /\.sh$|^\.ci\/run$|^Makefile$/.test(path)).flatMap(
      ([path, text]) => longLines(path, text),
    ),
  );
});

Deno.test("functions are short, exports are named, no value is any, pure files stay pure", () => {
  refuseAny(sources.flatMap((path) => {
    const text = texts.get(path) ?? "";
    return Deno.lint.runPlugin(plugin, `${root}${path}`, text)
      .filter((finding) => !(path === "tests/lint_plugin.ts" && finding.id.includes("default")))
      .map((finding) => {
        const line = text.slice(0, finding.range[0]).split("\n").length;
        return `${path}:${line} ${finding.message}`;
      });
  }));
});

Deno.test("nothing unfinished and no switched-off test is left behind", () => {
  refuseAny(findings(leftovers));
});

Deno.test("no file names an unknown host", () => {
  const hosts = [...texts].flatMap(([path, text]) =>
    [...text.matchAll(/\b(?:https?|ftp):\/\/([a-zA-Z0-9.-]+)/g)]
      .filter(([, host]) => !knownHosts.test(host ?? "") && !isAddress(host ?? ""))
      .map(([, host]) => `${path} names the host ${host}`)
  );
  refuseAny(hosts);
});

/** The reason why one import breaks the arrows, or nothing. */
function wrongArrow(path: string, target: string): string {
  const from = folderOf(path);
  if (from === "tests" || from === "packaging") return "";
  if (path === "mod.ts") return "";
  if (!target.endsWith(".ts")) {
    const foreign = from === "raft" && !path.endsWith("_test.ts");
    return foreign ? `${path} imports ${target}, raft imports nothing` : "";
  }
  const to = folderOf(target);
  const wrong = `${path} imports ${target} against the arrows`;
  if (path === "main.ts") return to === "cmd" ? "" : wrong;
  if (target.endsWith("/mod.ts")) return `${path} imports the folder ${target}, import the file`;
  if (to !== from && !(importArrows[from] ?? []).includes(to)) return wrong;
  const reaching = from === "cmd" && isPure(path) && to !== "cmd" && !isPure(target);
  return reaching ? `${path} imports ${target}, cmd takes only pure files from there` : "";
}

function isPureImport(path: string, target: string): boolean {
  if (target === "node:crypto") return pureCrypto.test(texts.get(path) ?? "");
  return target.endsWith(".ts") ? isPure(target) : pureLibraries.has(target);
}

/** What a file imports at run time: paths from the root for our files, bare names otherwise. */
function importsOf(path: string): readonly string[] {
  const code = withoutComments(texts.get(path) ?? "");
  const statements =
    /^\s*(?:import|export)\s(?!type\b)[^;"']*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...code.matchAll(statements)].map((match) => {
    const target = match[1] ?? match[2] ?? match[3] ?? "";
    return target.startsWith(".") ? new URL(target, `file:///${path}`).pathname.slice(1) : target;
  });
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

function longLines(path: string, text: string): readonly string[] {
  return text.split("\n").flatMap((line, index) =>
    line.length > lineWidthMax ? [`${path}:${index + 1} has ${line.length} columns`] : []
  );
}

function findings(pattern: RegExp): readonly string[] {
  return [...texts].flatMap(([path, text]) =>
    text.split("\n").flatMap((line, index) =>
      pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : []
    )
  );
}

function isAddress(host: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

/** Files that people wrote; lock files and the license are other people's words. */
function isText(path: string): boolean {
  return /\.(ts|sh|md|toml|json|txt|service)$|^\.ci\/run$|^Makefile$/.test(path);
}

function read(path: string): string {
  return Deno.readTextFileSync(`${root}${path}`);
}

function refuseAny(reasons: readonly string[]): void {
  assert.ok(reasons.length === 0, `\n${reasons.join("\n")}`);
}
