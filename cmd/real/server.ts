/** The MySQL server of this host as the config describes it. */
import type { Config } from "../../agent/config_shape.ts";
import { readServerPaths } from "../../mysql/my_cnf.ts";
import { MysqlServer } from "../../mysql/server.ts";

/** Where the server's files are is read from its option file, unless the configuration says it. */
export async function openServer({ mysql }: Config): Promise<MysqlServer> {
  const text = await Deno.readTextFile(mysql.defaultsFile).catch(() => "");
  const paths = readServerPaths(text);
  const pidFile = mysql.pidFile ?? paths.pidFile ??
    `${paths.dataFolder ?? "/var/lib/mysql"}/mysqld.pid`;
  const errorLog = paths.errorLog ?? "/var/log/mysql/error.log";
  if (mysql.service !== null) {
    return new MysqlServer({ kind: "service", service: mysql.service, pidFile, errorLog });
  }
  const mysqld = mysql.mysqldPath ?? `${mysql.basedir.replace(/\/$/, "")}/sbin/mysqld`;
  const { defaultsFile } = mysql;
  return new MysqlServer({ kind: "direct", mysqld, defaultsFile, pidFile, errorLog });
}
