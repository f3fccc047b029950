import assert from "node:assert/strict";
import { checkFiles } from "./check_files.ts";

Deno.test("checkFiles() warns of a server that is not where the configuration says", async () => {
  const path = Deno.makeTempFileSync({ prefix: "xenon-check-" });
  try {
    const check = async (mysql: string) => {
      const text = `[server]\nendpoint = "10.0.0.1:8801"\n[mysql]\n${mysql}`;
      return (await checkFiles({ path, text })).warnings;
    };
    const absent = 'defaults-file = "/absent/my.cnf"\nmysqld = "/absent/mysqld"\n';
    assert.deepEqual(await check(absent), [
      'mysql.defaults-file: "/absent/my.cnf" does not exist',
      'mysql.mysqld: "/absent/mysqld" does not exist',
    ]);
    const present = `defaults-file = "${path}"\nmysqld = "${path}"\n`;
    assert.deepEqual(await check(present), []);
    const service = `defaults-file = "${path}"\nmysqld = "/absent/mysqld"\nservice = "mysql"\n`;
    assert.deepEqual(await check(service), []);
  } finally {
    Deno.removeSync(path);
  }
});
