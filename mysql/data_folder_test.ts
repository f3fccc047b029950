import assert from "node:assert/strict";
import { holdsNoData, isFull } from "./data_folder.ts";

Deno.test("holdsNoData() sees deleted data behind the debris of a failed start", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "xenon-data-" });
  try {
    assert.equal(await holdsNoData(`${folder}/absent`), true);
    for (const name of ["auto.cnf", "binlog.index"]) {
      Deno.writeTextFileSync(`${folder}/${name}`, "");
    }
    assert.equal(await holdsNoData(folder), true);
    Deno.writeTextFileSync(`${folder}/mysql.ibd`, "x");
    assert.equal(await holdsNoData(folder), false);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("holdsNoData() knows the folder that servers before 8.0 have", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "xenon-data-" });
  try {
    Deno.mkdirSync(`${folder}/mysql`);
    assert.equal(await holdsNoData(folder), false);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("isFull() asks the disk of the folder", async () => {
  assert.equal(await isFull("/proc"), true, "a file system without any space of its own");
  const folder = Deno.makeTempDirSync({ prefix: "xenon-data-" });
  try {
    assert.equal(await isFull(folder), false);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
