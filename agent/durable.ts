/**
 * The text of the state file: a payload that is opaque here, in an envelope with a version and a
 * checksum. Reading it never guesses. A file that is damaged or newer than this program is told
 * apart from a missing one, because a node that forgets its votes may vote twice.
 */
import { createHash } from "node:crypto";
import { isRecord } from "./is_record.ts";
import { parseJson } from "./json.ts";

/** Version of the envelope and of the payload inside. Raise it when an older agent must not read. */
export const STATE_VERSION = 1;

/** A state is a few kilobytes, with GTID sets full of gaps a few hundred; more is something else. */
export const STATE_CHARACTERS_MAX = 4 * 1024 * 1024;

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

export type DecodedState =
  | { readonly kind: "missing" }
  | { readonly kind: "intact"; readonly payload: unknown }
  /** The agent must stop: an operator decides what the file was. */
  | { readonly kind: "damaged"; readonly because: string }
  /** Written by a later program; this one must not touch it. */
  | { readonly kind: "newer"; readonly version: number; readonly because: string };

/**
 * Wraps `payload` into the text of a state file.
 *
 * @throws {RangeError} when it is so long that it could not be read back.
 */
export function encodeState(payload: Json): string {
  const envelope = {
    version: STATE_VERSION,
    checksum: checksumOf(STATE_VERSION, payload),
    payload,
  };
  const text = `${JSON.stringify(envelope, null, 2)}\n`;
  if (text.length <= STATE_CHARACTERS_MAX) return text;
  throw new RangeError(
    `Cannot write a state of ${text.length} characters, the most is ${STATE_CHARACTERS_MAX}`,
  );
}

/** Reads the text of a state file; `null` stands for a file that does not exist. */
export function decodeState(text: string | null): DecodedState {
  if (text === null) return { kind: "missing" };
  if (text.length > STATE_CHARACTERS_MAX) {
    return damaged(`it has ${text.length} characters, the most is ${STATE_CHARACTERS_MAX}`);
  }
  const document = parseJson(text);
  if (!isRecord(document)) return damaged("it is not a complete JSON document");
  const { version, checksum, payload } = document;
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 1) {
    return damaged("it names no version");
  }
  if (version > STATE_VERSION) {
    const because = `it was written as version ${version}, this program reads up to version ` +
      `${STATE_VERSION}: run the newer program again`;
    return { kind: "newer", version, because };
  }
  if (payload === undefined) return damaged("it has no payload");
  if (checksum !== checksumOf(version, payload as Json)) {
    return damaged("its checksum does not fit its content");
  }
  return { kind: "intact", payload };
}

function damaged(because: string): DecodedState {
  return { kind: "damaged", because };
}

/** The version is summed too, so that a flipped digit there is seen. */
function checksumOf(version: number, payload: Json): string {
  return createHash("sha256").update(`${version}\n${canonical(payload)}`).digest("hex");
}

/** JSON with sorted keys and no blanks, so that equal payloads have equal text. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (isRecord(value)) {
    const entries = Object.keys(value).filter((key) => value[key] !== undefined).sort()
      .map((key) => `${JSON.stringify(key)}:${canonical(value[key] as Json)}`);
    return `{${entries.join(",")}}`;
  }
  return JSON.stringify(value);
}
