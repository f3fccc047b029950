/**
 * The file of persisted settings (mysqld-auto.cnf) for the first start on a copy: closed, and without
 * replication, so that a server that systemd starts is as quiet as one that we start. Pure.
 */
import { atLeast, type Version } from "../mysql/version.ts";

/** Values as SET PERSIST writes them; entries without a user or a time are not read by the server. */
interface Entry {
  readonly Value: string;
  readonly Metadata: { readonly Host: string; readonly User: string; readonly Timestamp: number };
}

type Entries = Readonly<Record<string, Entry>>;

/**
 * The text of the new file, from the one the old server had: what an operator persisted there stays.
 * Null where the version has another form of the file, or none: then the command line must do.
 */
export function persistedSettings(
  before: string | null,
  { version, timestampMs }: { readonly version: Version; readonly timestampMs: number },
): string | null {
  if (!atLeast(version, 8, 0, 30)) return null;
  const kept = parse(before);
  const on: Entry = {
    Value: "ON",
    Metadata: { Host: "localhost", User: "xenon", Timestamp: timestampMs * 1_000 },
  };
  return JSON.stringify({
    ...kept,
    Version: 2,
    mysql_static_variables: { ...entries(kept, "mysql_static_variables"), skip_replica_start: on },
    mysql_dynamic_variables: { ...entries(kept, "mysql_dynamic_variables"), super_read_only: on },
  });
}

function entries(kept: Readonly<Record<string, unknown>>, name: string): Entries {
  const found = kept[name];
  return typeof found === "object" && found !== null ? found as Entries : {};
}

/** An older form is not mixed with the new one. */
function parse(text: string | null): Readonly<Record<string, unknown>> {
  try {
    const document = JSON.parse(text ?? "{}");
    return document?.Version === 2 ? document : {};
  } catch {
    // A damaged file would keep the server from starting; what it held is in the old data.
    return {};
  }
}
