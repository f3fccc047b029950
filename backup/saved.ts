/**
 * Saves transactions of a running server from its binary logs, before the server's data goes: as SQL
 * where mysqlbinlog is at hand, else as the binary log files that contain them.
 */
import {
  contains,
  count,
  formatLine,
  type GtidSet,
  intersect,
  isEmpty,
  parse,
  subtract,
} from "../mysql/gtid.ts";
import type { Connection } from "../mysql/client.ts";
import { run, succeeded } from "../mysql/process.ts";
import { rowsOf, text } from "../mysql/rows.ts";
import { quoteString } from "../mysql/text.ts";
import { makeFolder, syncFolder } from "./folder.ts";
import type { SavedTransactions } from "./ports.ts";
import { counted } from "../mysql/counted.ts";

export interface SaveOptions {
  readonly connection: Connection;
  readonly gtids: GtidSet;
  /** Made here, under a longer name where there is one; only its owner may enter. */
  readonly folder: string;
  /** Places where mysqlbinlog may be; the first that works is used. */
  readonly tools: readonly string[];
}

const statementMs = 10_000;
const toolMs = 3_600_000;
const versionMs = 10_000;
/** More files than this are not searched: transactions of one node alone are recent. */
const filesMax = 200;
const firstEvents = 3;

/** Writes the files and a README beside them. */
export async function saveTransactions(wanted: SaveOptions): Promise<SavedTransactions> {
  const { connection, gtids } = wanted;
  const executed = parse(await one(connection, "SELECT @@GLOBAL.gtid_executed AS value"));
  const logged = intersect(gtids, executed);
  const paths = await filesWith(connection, { gtids: logged, executed });
  // What an earlier job of this number saved stays.
  const folder = await makeFolder(wanted.folder);
  const sql = paths.length === 0
    ? null
    : await asSql({ ...wanted, folder }, { paths, gtids: logged });
  if (sql === null) { for (const path of paths) await Deno.copyFile(path, inFolder(folder, path)); }
  const found = await coverage(connection, { paths, gtids: logged });
  const missing = subtract(gtids, found);
  const names = sql === null ? paths.map((path) => path.split("/").at(-1) ?? "") : ["extra.sql"];
  await Deno.writeTextFile(`${folder}/README`, readme({ gtids, missing, names }), { mode: 0o600 });
  // Only then may the server's data go.
  await syncFolder(folder, { deep: true });
  await syncFolder(folder.slice(0, folder.lastIndexOf("/")), { deep: false });
  const number = `${count(found)} of ${counted(count(gtids), "transaction")} in ${
    names.join(", ") || "no file"
  }`;
  const rest = isEmpty(missing) ? "" : "; the others are only in the old data, which is kept";
  return { folder, what: `${number}${rest}`, complete: isEmpty(missing) };
}

/** The binary logs that hold any of the transactions, oldest first. */
async function filesWith(
  connection: Connection,
  { gtids, executed }: { readonly gtids: GtidSet; readonly executed: GtidSet },
): Promise<readonly string[]> {
  const base = await one(connection, "SELECT @@GLOBAL.log_bin_basename AS value");
  const folder = base.slice(0, base.lastIndexOf("/"));
  const logs = rowsOf(await connection.query("SHOW BINARY LOGS", { deadlineMs: statementMs }));
  const names = logs.map((row) => text(row, "Log_name")).reverse().slice(0, filesMax);
  const paths: string[] = [];
  let left = gtids;
  let after = executed;
  for (const name of names) {
    if (isEmpty(left)) break;
    const before = await previousOf(connection, name);
    const inside = intersect(left, subtract(after, before));
    if (!isEmpty(inside)) paths.push(`${folder}/${name}`);
    left = subtract(left, inside);
    after = before;
  }
  return paths.reverse();
}

/** What the chosen files hold of the transactions: all but what was purged long ago. */
async function coverage(
  connection: Connection,
  { paths, gtids }: { readonly paths: readonly string[]; readonly gtids: GtidSet },
): Promise<GtidSet> {
  const [oldest] = paths;
  if (oldest === undefined) return parse("");
  const purged = parse(await one(connection, "SELECT @@GLOBAL.gtid_purged AS value"));
  return subtract(gtids, purged);
}

/** Everything before a file, as the file itself says near its beginning. */
async function previousOf(connection: Connection, name: string): Promise<GtidSet> {
  const sql = `SHOW BINLOG EVENTS IN ${quoteString(name)} LIMIT ${firstEvents}`;
  const rows = rowsOf(await connection.query(sql, { deadlineMs: statementMs }));
  const event = rows.find((row) => text(row, "Event_type", "") === "Previous_gtids");
  return parse(event === undefined ? "" : text(event, "Info", ""));
}

/** The path of the SQL file; null where no tool made one that holds every transaction. */
async function asSql(
  { tools, folder }: SaveOptions,
  { paths, gtids }: { readonly paths: readonly string[]; readonly gtids: GtidSet },
): Promise<string | null> {
  for (const tool of tools) {
    const version = await run([tool, "--version"], { deadlineMs: versionMs });
    if (!succeeded(version) || /mariadb/i.test(version.stdoutTail)) continue;
    const path = `${folder}/extra.sql`;
    const result = await run(
      [tool, `--include-gtids=${formatLine(gtids)}`, `--result-file=${path}`, ...paths],
      { deadlineMs: toolMs },
    );
    if (succeeded(result) && contains(await gtidsIn(path), gtids)) return path;
    await Deno.remove(path).catch(() => {
      // It was never made.
    });
  }
  return null;
}

/** The transactions that a file of mysqlbinlog holds. */
async function gtidsIn(path: string): Promise<GtidSet> {
  const found: string[] = [];
  using file = await Deno.open(path);
  let rest = "";
  for await (const part of file.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const match = /^SET @@SESSION\.GTID_NEXT= ?'([^']+)'/.exec(line);
      if (match?.[1] !== undefined && match[1] !== "AUTOMATIC") found.push(match[1]);
    }
  }
  return parse(found.join(","));
}

async function one(connection: Connection, sql: string): Promise<string> {
  const [row = {}] = rowsOf(await connection.query(sql, { deadlineMs: statementMs }));
  return text(row, "value", "");
}

function inFolder(folder: string, path: string): string {
  return `${folder}/${path.split("/").at(-1)}`;
}

function readme(
  { gtids, missing, names }: {
    readonly gtids: GtidSet;
    readonly missing: GtidSet;
    readonly names: readonly string[];
  },
): string {
  const reading = names.includes("extra.sql")
    ? "extra.sql is the output of mysqlbinlog with exactly these transactions."
    : `Read them with: mysqlbinlog --verbose --include-gtids=${formatLine(gtids)} ${
      names.join(" ")
    }`;
  return [
    "Transactions that existed only on this node when it was rebuilt:",
    formatLine(gtids),
    "",
    reading,
    "Look at them before you apply any: the cluster went on without them. To apply them as new",
    "transactions, leave their old names out (mysqlbinlog --skip-gtids).",
    ...(isEmpty(missing) ? [] : ["", `Not in these files: ${formatLine(missing)}`]),
    "",
  ].join("\n");
}
