/** What a donor says of itself before it is cloned: all that the joiner's receiving server must match. */
import * as v from "valibot";
import { integer, rowsOf, text } from "../mysql/rows.ts";
import { atLeast, parseVersion, type Version } from "../mysql/version.ts";

const name = v.pipe(v.string(), v.maxLength(1_000));
const offerSchema = v.object({
  version: name,
  pageSize: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  dataFilePath: name,
  characterSet: name,
  collation: name,
  /** Libraries of all plugins that were loaded: the receiver needs each of them. */
  libraries: v.pipe(v.array(name), v.maxLength(100)),
  dataBytes: v.pipe(v.number(), v.minValue(0)),
});

export type CloneOffer = Readonly<v.InferOutput<typeof offerSchema>>;

/** Reads an offer that came over the wire. */
export function decodeOffer(value: unknown): CloneOffer {
  const result = v.safeParse(offerSchema, value);
  if (result.success) return result.output;
  throw new Error(`Cannot read the donor's offer: ${v.summarize(result.issues)}`);
}

/** Asked on the donor; changes nothing. */
export const offerQueries = {
  settings: "SELECT @@version AS version, @@innodb_page_size AS page_size, " +
    "@@innodb_data_file_path AS data_file_path, @@character_set_server AS character_set, " +
    "@@collation_server AS collation",
  libraries: "SELECT DISTINCT PLUGIN_LIBRARY AS file_name FROM information_schema.PLUGINS " +
    "WHERE PLUGIN_STATUS = 'ACTIVE' AND PLUGIN_LIBRARY IS NOT NULL",
  // A sum over a table in memory, without a look at the files.
  size: "SELECT COALESCE(SUM(FILE_SIZE), 0) AS bytes FROM information_schema.INNODB_TABLESPACES " +
    "WHERE SPACE_TYPE <> 'System' OR SPACE = 0",
} as const;

/** The offer from the answers to these queries. */
export function readOffer(
  rows: { readonly settings: unknown; readonly libraries: unknown; readonly size: unknown },
): CloneOffer {
  const [settings = {}] = rowsOf(rows.settings);
  const [size = {}] = rowsOf(rows.size);
  return {
    version: text(settings, "version"),
    pageSize: integer(settings, "page_size"),
    dataFilePath: text(settings, "data_file_path"),
    characterSet: text(settings, "character_set"),
    collation: text(settings, "collation"),
    libraries: rowsOf(rows.libraries).map((row) => text(row, "file_name")),
    dataBytes: integer(size, "bytes"),
  };
}

/**
 * Why a server of version `joiner` cannot receive a clone of `donor`; null when it can. Until 8.0.36
 * both must be of the very same release, later ones of one series.
 * Manual: https://dev.mysql.com/doc/refman/9.7/en/clone-plugin-remote.html
 */
export function versionProblem(donor: string, joiner: Version): string | null {
  const read = parseVersion(donor);
  if (!read.ok) return read.because;
  const { version } = read;
  const both = `the donor is ${release(version)} and the server here ${release(joiner)}`;
  if (!atLeast(version, 8, 0, 17) || !atLeast(joiner, 8, 0, 17)) {
    return `MySQL can be cloned from 8.0.17 on: ${both}`;
  }
  if (version.major !== joiner.major || version.minor !== joiner.minor) {
    return `both servers must be of one series: ${both}`;
  }
  const strict = version.major === 8 && version.minor === 0 &&
    (version.patch < 37 || joiner.patch < 37);
  if (strict && version.patch !== joiner.patch) return `both servers must be alike: ${both}`;
  return null;
}

function release({ major, minor, patch }: Version): string {
  return `${major}.${minor}.${patch}`;
}
