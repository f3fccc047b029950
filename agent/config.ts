/**
 * The configuration: TOML text in, `Config` out, and every mistake at once, each with its line, the
 * wanted value and the fix. Pure: files that the configuration names are read elsewhere
 * (real/secrets.ts).
 */
import { parse, TomlError } from "smol-toml";
import * as v from "valibot";
import { nearestName } from "./config_names.ts";
import { findPlaces, type Place } from "./config_places.ts";
import { checkRules } from "./config_rules.ts";
import { type Key, keys, retiredKeys, type SectionName } from "./config_schema.ts";
import { type Config, shapeConfig, type Values } from "./config_shape.ts";

/** A configuration is a page of text. */
const TEXT_CHARACTERS_MAX = 256 * 1024;

/** Something to say about one key. */
export interface Remark extends Place {
  /** `section.key`, or a section, or "" for the file. */
  readonly key: string;
  readonly sentence: string;
}

export type ConfigResult =
  | { readonly kind: "config"; readonly config: Config; readonly warnings: readonly Remark[] }
  | { readonly kind: "wrong"; readonly problems: readonly Remark[] };

interface Findings {
  readonly places: ReadonlyMap<string, Place>;
  readonly problems: Remark[];
  readonly warnings: Remark[];
}

/** Reads a configuration. Keys that are absent have the defaults of config.example.toml. */
export function parseConfig(text: string): ConfigResult {
  const read = readConfigText(text);
  if (read.kind === "wrong") return read;
  const { config, warnings } = read;
  return { kind: "config", config, warnings };
}

/** What `parseConfig` gives, and every value it was made of. */
export type DetailedResult =
  | (ConfigResult & { readonly kind: "wrong" })
  | (ConfigResult & {
    readonly kind: "config";
    readonly values: Values;
    /** The keys that stand in the file. */
    readonly given: ReadonlySet<string>;
  });

/** Reads a configuration and keeps what stood in the file apart from the defaults. */
export function readConfigText(text: string): DetailedResult {
  const document = parseToml(text);
  if ("problem" in document) return { kind: "wrong", problems: [document.problem] };
  const findings: Findings = { places: findPlaces(text), problems: [], warnings: [] };
  checkSections(document.sections, findings);
  const given = new Set<string>();
  const values = readValues(document.sections, { findings, given });
  // Relations between values that are themselves wrong would only confuse.
  const wrongKeys = new Set(findings.problems.map((problem) => problem.key));
  const config = shapeConfig(values, given);
  for (const { key, sentence, severity, among } of checkRules({ config, values, given })) {
    if ([key, ...among].some((name) => wrongKeys.has(name))) continue;
    const list = severity === "problem" ? findings.problems : findings.warnings;
    list.push(remark(findings, key, sentence));
  }
  const byLine = (left: Remark, right: Remark) => left.line - right.line;
  return findings.problems.length > 0
    ? { kind: "wrong", problems: findings.problems.sort(byLine) }
    : { kind: "config", config, values, given, warnings: findings.warnings.sort(byLine) };
}

/** One line for people: `xenon.toml:12:1 raft.heartbeat-timeout: sentence`. */
export function describeRemark(fileName: string, remark: Remark): string {
  const place = remark.line > 0 ? `:${remark.line}:${remark.column}` : "";
  return `${fileName}${place} ${remark.key === "" ? "" : `${remark.key}: `}${remark.sentence}`;
}

type Sections = Readonly<Record<string, unknown>>;

function parseToml(text: string): { readonly sections: Sections } | { readonly problem: Remark } {
  const whole = { line: 0, column: 0, key: "" };
  if (text.length > TEXT_CHARACTERS_MAX) {
    const sentence = `File has ${text.length} characters, the most is ${TEXT_CHARACTERS_MAX}`;
    return { problem: { ...whole, sentence } };
  }
  try {
    return { sections: parse(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Only the first line: the rest quotes the file, and the line may hold a password.
    const because = (error.message.split("\n")[0] ?? "").replace("Invalid TOML document: ", "");
    const hint = /^\s*\{/.test(text) ? ", convert a JSON file with xenon config convert" : "";
    const sentence = `Cannot read this as TOML: ${because}${hint}`;
    return { problem: { line: error.line, column: error.column, key: "", sentence } };
  }
}

function checkSections(sections: Sections, findings: Findings): void {
  for (const [name, section] of Object.entries(sections)) {
    if (!isRecord(section)) {
      const owner = Object.entries(keys).find(([, own]) => Object.hasOwn(own, name))?.[0];
      const fix = owner === undefined ? "" : `, it belongs below [${owner}]`;
      findings.problems.push(remark(findings, name, `Key stands in no section${fix}`));
      continue;
    }
    if (!Object.hasOwn(keys, name)) {
      const sentence = `Unknown section${suggestion(name, Object.keys(keys))}`;
      findings.problems.push(remark(findings, name, sentence));
      continue;
    }
    checkNames(name as SectionName, section, findings);
  }
}

function checkNames(section: SectionName, given: Sections, findings: Findings): void {
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(keys[section], key)) continue;
    const path = `${section}.${key}`;
    const reason = Object.hasOwn(retiredKeys, path) ? retiredKeys[path] : undefined;
    if (reason !== undefined) {
      findings.warnings.push(remark(findings, path, `Has no effect, ${reason}; remove the line`));
      continue;
    }
    const elsewhere = Object.entries(keys).find(([, own]) => Object.hasOwn(own, key))?.[0];
    const fix = elsewhere === undefined
      ? suggestion(key, Object.keys(keys[section]))
      : `, it belongs below [${elsewhere}]`;
    findings.problems.push(remark(findings, path, `Unknown key${fix}`));
  }
}

function suggestion(word: string, known: readonly string[]): string {
  const nearest = nearestName(word, known);
  return nearest === null ? `, known are ${known.join(", ")}` : `, did you mean ${nearest}?`;
}

/** Values by `section.key`; a wrong one is reported and replaced by its default. */
function readValues(
  sections: Sections,
  { findings, given }: { readonly findings: Findings; readonly given: Set<string> },
): Values {
  const values = new Map<string, string | number | boolean | null>();
  for (const [section, own] of Object.entries(keys)) {
    const present = sections[section];
    for (const [name, key] of Object.entries(own)) {
      const path = `${section}.${name}`;
      values.set(path, key.fallback);
      if (!isRecord(present) || !Object.hasOwn(present, name)) continue;
      given.add(path);
      const result = v.safeParse(key.shape, present[name]);
      if (result.success) values.set(path, result.output as string | number | boolean);
      else findings.problems.push(remark(findings, path, wrongValue(key, present[name])));
    }
  }
  return values;
}

function wrongValue(key: Key, present: unknown): string {
  const shownMax = 60;
  const shown = key.secret === true
    ? "another kind of value"
    : JSON.stringify(present) ?? "nothing";
  return `Expected ${key.wanted}, found ${shown.slice(0, shownMax)}`;
}

function remark({ places }: Findings, key: string, sentence: string): Remark {
  const section = key.split(".")[0] ?? "";
  const place = places.get(key) ?? places.get(section) ?? { line: 0, column: 0 };
  return { ...place, key, sentence };
}

function isRecord(value: unknown): value is Sections {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date);
}
