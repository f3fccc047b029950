/** Settings as the text of a configuration file: sections in order, a comment above where one helps. */
import { keys } from "../agent/config_schema.ts";

export type TomlValue = string | number | boolean;

/** `section.key` to value. */
export type Settings = ReadonlyMap<string, TomlValue>;

/** The file, sections and keys in the order of config.example.toml; other keys are left out. */
export function renderSettings(
  settings: Settings,
  { head, comments = {} }: {
    /** Lines above everything, without their `#`. */
    readonly head: readonly string[];
    /** A line above a key or, by its name alone, above a section. */
    readonly comments?: Readonly<Record<string, string>>;
  },
): string {
  const lines = head.map((line) => `# ${line}`.trimEnd());
  for (const [section, own] of Object.entries(keys)) {
    const present = Object.keys(own).filter((key) => settings.has(`${section}.${key}`));
    const about = comments[section];
    if (present.length === 0 && about === undefined) continue;
    lines.push("", ...(about === undefined ? [] : [`# ${about}`]), `[${section}]`);
    for (const key of present) {
      const path = `${section}.${key}`;
      if (comments[path] !== undefined) lines.push(`# ${comments[path]}`);
      lines.push(`${key} = ${tomlValue(settings.get(path) ?? "")}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** JSON's texts are TOML's, but for one character that TOML wants escaped too. */
function tomlValue(value: TomlValue): string {
  return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
}
