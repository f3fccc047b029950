import assert from "node:assert/strict";
import { newestLogFile } from "./binary_log_files.ts";

Deno.test("newestLogFile() tells the length of the file with the highest number", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "xenon-log-" });
  const write = (name: string, text: string) => Deno.writeTextFileSync(`${folder}/${name}`, text);
  try {
    const base = `${folder}/db.log`;
    await assert.rejects(newestLogFile(base), /^Error: Cannot find the files of the binary log/);
    await assert.rejects(newestLogFile(`${folder}/absent/binlog`), Deno.errors.NotFound);
    for (const name of ["db.log.index", "db.log.999998", "db-log.9999999", "db.log.1.bak"]) {
      write(name, "other");
    }
    write("db.log.999999", "12345678");
    assert.equal(await newestLogFile(base), "db.log.999999:8");
    write("db.log.1000000", "123");
    assert.equal(await newestLogFile(base), "db.log.1000000:3");
    write("db.log.1000000", "1234");
    assert.equal(await newestLogFile(base), "db.log.1000000:4");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
