import assert from "node:assert/strict";
import { MysqlServer } from "./server.ts";

Deno.test("a start that failed is explained by what its log says since then, not by earlier ones", async () => {
  const folder = await Deno.makeTempDir();
  const errorLog = `${folder}/error.log`;
  await Deno.writeTextFile(errorLog, "1 [ERROR] the disk was full last week\n");
  const server = new MysqlServer({
    kind: "direct",
    mysqld: `${folder}/no-such-mysqld`,
    defaultsFile: `${folder}/my.cnf`,
    pidFile: `${folder}/mysqld.pid`,
    errorLog,
  });
  assert.match(server.whyItDied(), /last week/);
  await assert.rejects(server.start(), /no-such-mysqld/);
  assert.match(server.whyItDied(), /says nothing about this start$/);
  await Deno.writeTextFile(errorLog, "2 [ERROR] unknown variable\n", { append: true });
  assert.match(server.whyItDied(), /are:\n2 \[ERROR\] unknown variable$/);
  await Deno.writeTextFile(errorLog, "3 [ERROR] anew\n");
  assert.match(server.whyItDied(), /are:\n3 \[ERROR\] anew$/, "a log that was begun anew");
  await Deno.remove(folder, { recursive: true });
});
