import { deepEqual } from "node:assert/strict";
import { readServerPaths } from "./my_cnf.ts";

Deno.test("readServerPaths() reads the server's groups only, in either spelling", () => {
  const text = [
    "[client]",
    "socket=/run/client.sock",
    "[mysqld]",
    "datadir = /var/lib/mysql",
    'pid_file = "/run/my sqld.pid" # where it is',
    "log-error=error.log  # relative",
    "# socket=/commented",
    "[mysqldump]",
    "socket=/run/other.sock",
    "[server]",
    "loose-socket=/run/mysqld.sock",
  ].join("\n");
  deepEqual(readServerPaths(text), {
    dataFolder: "/var/lib/mysql",
    pidFile: "/run/my sqld.pid",
    errorLog: "/var/lib/mysql/error.log",
    socket: "/run/mysqld.sock",
  });
});

Deno.test("readServerPaths() says null where the file is silent", () => {
  const silent = { dataFolder: null, pidFile: null, errorLog: null, socket: null };
  deepEqual(readServerPaths("[mysqld]\ngtid_mode=ON\n"), silent);
  deepEqual(readServerPaths("[mysqld]\npid-file=relative.pid\n"), silent);
});
