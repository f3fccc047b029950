/**
 * One event as one line: time, level, a sentence, then key=value. Pure, so that the shape of the
 * log is tested without a log. A value can never start a new line or look like another key.
 */
export type LogLevel = "DEBUG" | "INFO" | "WARNING" | "ERROR";

/** From the most talkative to the quietest. */
const LOG_LEVELS: readonly LogLevel[] = ["DEBUG", "INFO", "WARNING", "ERROR"];

/** Longer lines are cut: an error may carry the whole output of a child process. */
export const LOG_LINE_CHARACTERS_MAX = 4096;

export type LogValue = string | number | boolean | bigint | null;
export type LogFields = Readonly<Record<string, LogValue>>;

export interface LogEvent {
  /** ISO 8601 with milliseconds, for people; nothing is decided by it. */
  readonly time: string;
  readonly level: LogLevel;
  readonly sentence: string;
  readonly fields: LogFields;
}

/** The line without its end of line. `json` gives one JSON object with the same facts. */
export function formatLine(event: LogEvent, format: "text" | "json"): string {
  return format === "json" ? formatJson(event) : formatText(event);
}

/** True when a line of `level` belongs into a log that starts at `least`. */
export function isLogged(level: LogLevel, least: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
}

function formatText(event: LogEvent): string {
  const fields = Object.entries(event.fields).map(([key, value]) => ` ${key}=${quoted(value)}`);
  return cut(`${event.time} [${event.level}] ${plain(event.sentence)}${fields.join("")}`);
}

/** A cut JSON text would be no JSON, so the sentence and the values are cut instead. */
function formatJson(event: LogEvent): string {
  const { time, level, sentence, fields } = event;
  const whole = JSON.stringify({ time, level, sentence, ...fields }, bigintAsText);
  if (whole.length <= LOG_LINE_CHARACTERS_MAX) return whole;
  const shares = 2 + Object.keys(fields).length;
  // Six characters at most stand for one character in JSON.
  const each = Math.floor(LOG_LINE_CHARACTERS_MAX / shares / 6);
  const short = Object.entries(fields).slice(0, 64).map(([key, value]) =>
    [key, typeof value === "string" ? cut(value, each) : value] as const
  );
  const record = { time, level, sentence: cut(sentence, each), ...Object.fromEntries(short) };
  return JSON.stringify(record, bigintAsText);
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

function quoted(value: LogValue): string {
  const text = String(value);
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(plain(text));
}

/** Control characters, ends of line among them, become visible escapes. */
function plain(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  ).replaceAll("\\u000a", "\\n").replaceAll("\\u0009", "\\t");
}

function cut(text: string, charactersMax: number = LOG_LINE_CHARACTERS_MAX): string {
  if (text.length <= charactersMax) return text;
  const tail = ` ...cut, ${text.length} characters`;
  return text.slice(0, Math.max(0, charactersMax - tail.length)) + tail;
}
