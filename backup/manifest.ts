/** What a backup says of itself, in the file `manifest.json` beside its data. Pure. */
import { createHash } from "node:crypto";
import * as v from "valibot";
import { formatLine, parse } from "../mysql/gtid.ts";
import { parseVersion } from "../mysql/version.ts";
import { copyMethodNames } from "./copy_method.ts";

export const manifestName = "manifest.json";
/** The folder of a backup that holds the files of the server. */
export const dataName = "data";

const pathLengthMax = 4_096;
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Below the data folder, and nowhere else. */
const path = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(pathLengthMax),
  v.check((text) => text.split("/").every((part) => !["", ".", ".."].includes(part))),
);

const manifestSchema = v.object({
  /** A newer program may write another format; it is refused then. */
  format: v.literal(1),
  method: v.picklist(copyMethodNames),
  /** Of the server that was started on it last, which may have brought its files to its own version. */
  serverVersion: v.string(),
  /** Of the server that was copied; an earlier version of xenon did not say. */
  donorVersion: v.optional(v.string()),
  /** `host:port` of the agent whose server was copied. */
  source: v.string(),
  /** All transactions in it, on one line. */
  gtids: v.string(),
  startedAt: v.string(),
  endedAt: v.string(),
  bytes: count,
  /** All folders below the data, also empty ones, which a server may need. */
  folders: v.pipe(v.array(path), v.readonly()),
  files: v.pipe(
    v.array(v.object({
      path,
      bytes: count,
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    })),
    v.readonly(),
  ),
});

export type Manifest = Readonly<v.InferOutput<typeof manifestSchema>>;
export type ManifestFile = Readonly<Manifest["files"][number]>;

/** The last entry: the SHA-256 of all the text before it. */
const sealShape = /,\n {2}"checksum": "([0-9a-f]{64})"\n\}\n$/;

/** One file a line, so that people can read it and search it. */
export function encodeManifest(manifest: Manifest): string {
  const { files, folders, gtids, ...head } = manifest;
  const lines = files.map((file) => `    ${JSON.stringify(file)}`).join(",\n");
  const top = JSON.stringify({ ...head, gtids: formatLine(parse(gtids)), folders }, null, 2);
  const text = `${top.replace(/\n\}$/, "")},\n  "files": [\n${lines}\n  ]`;
  return `${text},\n  "checksum": "${sumOf(text)}"\n}\n`;
}

/** False for a manifest of a version that wrote no checksum of its own text. */
export function isSealed(manifestText: string): boolean {
  return sealShape.test(manifestText);
}

function sumOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Reads a manifest; throws a sentence where it is none, or not as it was written. */
export function decodeManifest(text: string): Manifest {
  const seal = sealShape.exec(text);
  if (seal !== null && sumOf(text.slice(0, seal.index)) !== seal[1]) {
    throw new SyntaxError("Cannot use the manifest as it is damaged: its checksum is another one");
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError("Cannot read the manifest as it is no JSON", { cause });
  }
  const result = v.safeParse(manifestSchema, document);
  if (result.success) return result.output;
  throw new SyntaxError(`Cannot read the manifest: ${v.summarize(result.issues)}`);
}

/** What differs between the files that are there and those that should be; empty when nothing does. */
export function differences(
  manifest: Manifest,
  found: readonly ManifestFile[],
): readonly string[] {
  const wanted = new Map(manifest.files.map((file) => [file.path, file]));
  const wrong: string[] = [];
  for (const file of found) {
    const expected = wanted.get(file.path);
    wanted.delete(file.path);
    if (expected === undefined) wrong.push(`${file.path} is not in the manifest`);
    else if (file.bytes !== expected.bytes) {
      wrong.push(`${file.path} has ${file.bytes} bytes, not ${expected.bytes}`);
    } else if (file.sha256 !== expected.sha256) wrong.push(`${file.path} has another content`);
  }
  return [...wrong, ...[...wanted.keys()].map((name) => `${name} is missing`)];
}

/** Why this server cannot be started on that backup; null when it can. */
export function whyNotRestorable(manifest: Manifest, serverVersion: string): string | null {
  const why = whyNotStartable(manifest.serverVersion, serverVersion);
  if (why !== "other") return why;
  return `the backup is of MySQL ${manifest.serverVersion} and this host has ${serverVersion}: ` +
    `install the same version, or a later patch of it`;
}

/** Why this host's server cannot verify a copy of the donor and leave it one of the donor's series. */
export function whyNotVerifiable(donorVersion: string, serverVersion: string): string | null {
  const why = whyNotStartable(donorVersion, serverVersion);
  if (why !== "other") return why;
  return `the donor has MySQL ${donorVersion} and this host, which must start on the copy, has ` +
    `${serverVersion}: take the backup where the same version is installed, or a later patch of it`;
}

/** Data is started by its own version or a later patch of it, and then is of that patch. */
function whyNotStartable(dataVersion: string, serverVersion: string): string | null {
  const [from, to] = [parseVersion(dataVersion), parseVersion(serverVersion)];
  if (!from.ok) return from.because;
  if (!to.ok) return to.because;
  const [old, own] = [from.version, to.version];
  const sameSeries = old.major === own.major && old.minor === own.minor;
  return sameSeries && own.patch >= old.patch ? null : "other";
}
