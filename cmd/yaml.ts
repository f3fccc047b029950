/**
 * JSON-like values as YAML for people to read: two blanks a level, texts quoted whenever YAML could
 * read them as anything else. (The decision against a library: of YAML's large syntax only this much
 * is ever written, and the quoted form is JSON's.)
 */
import { isRecord } from "../agent/is_record.ts";

/** Words that mean the same in every YAML reader, old ones included, and are no number. */
const plainText = /^[A-Za-z_/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./()-]+)*$/;
/** YAML 1.1 reads these as booleans or as nothing, in any case. */
const reserved = /^(?:true|false|yes|no|on|off|y|n|null|nan|inf)$/i;

/** The text of one document, with a line end behind it. */
export function renderYaml(value: unknown): string {
  return `${linesOf(value).join("\n")}\n`;
}

function linesOf(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.length > 0) {
    return value.flatMap((item) => {
      const [first = "", ...rest] = linesOf(item);
      return [`- ${first}`, ...rest.map((line) => `  ${line}`)];
    });
  }
  const entries = isRecord(value) ? Object.entries(value) : [];
  const present = entries.filter(([, item]) => item !== undefined);
  if (present.length === 0) return [scalar(value)];
  return present.flatMap(([key, item]) => {
    const lines = linesOf(item);
    if (!isDeep(item)) return [`${text(key)}: ${lines[0] ?? ""}`];
    return [`${text(key)}:`, ...lines.map((line) => `  ${line}`)];
  });
}

/** True for what takes lines of its own below its key. */
function isDeep(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isRecord(value) && Object.values(value).some((item) => item !== undefined);
}

function scalar(value: unknown): string {
  if (typeof value === "string") return text(value);
  if (Array.isArray(value)) return "[]";
  return isRecord(value) ? "{}" : JSON.stringify(value ?? null);
}

/** JSON's escapes are YAML's; both ends of line that JSON leaves bare are escaped too. */
function text(value: string): string {
  if (plainText.test(value) && !reserved.test(value)) return value;
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
