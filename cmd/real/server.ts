/** The MySQL server of this host as the config describes it. */
import type { Config } from "../../agent/config_shape.ts";
import { readServerPaths } from "../../mysql/my_cnf.ts";
import { MysqlServer } from "../../mysql/server.ts";

/** Where the server's program and its files are. */
export interface ServerPlace {
  readonly mysqld: string;
  readonly defaultsFile: string;
  readonly pidFile: string;
  readonly errorLog: string;
  /** Null where the option file does not name it. */
  readonly dataFolder: string | null;
}

/** Read from the server's option file, unless the configuration says it. */
export async function readServerPlace({ mysql }: Config): Promise<ServerPlace> {
  const text = await Deno.readTextFile(mysql.defaultsFile).catch(() => "");
  const paths = readServerPaths(text);
  return {
    mysqld: mysql.mysqldPath ?? `${mysql.basedir.replace(/\/$/, "")}/sbin/mysqld`,
    defaultsFile: mysql.defaultsFile,
    pidFile: mysql.pidFile ?? paths.pidFile ??
      `${paths.dataFolder ?? "/var/lib/mysql"}/mysqld.pid`,
    errorLog: paths.errorLog ?? "/var/log/mysql/error.log",
    dataFolder: paths.dataFolder,
  };
}

/** The server that is started from there, or by its service. */
export function openServer({ mysql }: Config, place: ServerPlace): MysqlServer {
  const { mysqld, defaultsFile, pidFile, errorLog } = place;
  const { service } = mysql;
  return service === null
    ? new MysqlServer({ kind: "direct", mysqld, defaultsFile, pidFile, errorLog })
    : new MysqlServer({ kind: "service", service, pidFile, errorLog });
}
