import assert from "node:assert/strict";
import { realFolders } from "./real_folders.ts";
import { ScratchServer } from "./scratch_server.ts";
import { ScratchTemplate } from "./scratch_template.ts";

const owner = { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
const offer = {
  version: "9.7.0",
  pageSize: 16_384,
  dataFilePath: "ibdata1:12M:autoextend",
  characterSet: "utf8mb4",
  collation: "utf8mb4_0900_ai_ci",
  libraries: [],
  dataBytes: 0,
};

function temporaryFolder() {
  const path = Deno.makeTempDirSync({ prefix: "xenon-scratch-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

function templateIn(parent: string, version: string): ScratchTemplate {
  return new ScratchTemplate({ parent, folders: realFolders, version, owner, offer });
}

Deno.test("what was initialised once is taken again, by the same kind of server only", async () => {
  using temporary = temporaryFolder();
  const { path } = temporary;
  const template = templateIn(path, "9.7.0");
  assert.equal(await template.take(`${path}/none`), false);
  Deno.mkdirSync(`${path}/made`);
  Deno.writeTextFileSync(`${path}/made/ibdata1`, "first");
  await template.keep(`${path}/made`);
  assert.equal(await template.take(`${path}/taken`), true);
  assert.equal(Deno.readTextFileSync(`${path}/taken/ibdata1`), "first");

  const other = templateIn(path, "9.7.1");
  assert.equal(await other.take(`${path}/other`), false);
  await other.keep(`${path}/made`);
  assert.equal(await other.take(`${path}/other`), true);
  assert.equal(await template.take(`${path}/late`), false, "one is kept, no more");
});

Deno.test("one that no server starts on is forgotten, and another one is made", async () => {
  using temporary = temporaryFolder();
  const { path } = temporary;
  const folder = `${path}/.xenon-job-1`;
  Deno.mkdirSync(folder);
  const template = templateIn(path, "9.7.0");
  Deno.mkdirSync(`${path}/made`);
  Deno.writeTextFileSync(`${path}/made/torn`, "");
  await template.keep(`${path}/made`);
  const mysqld = `${path}/mysqld`;
  Deno.writeTextFileSync(mysqld, program(folder), { mode: 0o755 });
  const starting = ScratchServer.start({
    mysqld,
    folder,
    owner,
    folders: realFolders,
    offer,
    template,
    donor: "127.0.0.1:3306",
    signal: new AbortController().signal,
  });
  await assert.rejects(starting, /Cannot start/);
  const starts = Deno.readTextFileSync(`${path}/starts`).trim().split("\n");
  assert.deepEqual(starts, ["torn", "new"]);
  await template.take(`${path}/taken`);
  assert.deepEqual([...Deno.readDirSync(`${path}/taken`)].map(({ name }) => name), ["new"]);
});

/** Makes data of one file, and ends at each start, of which it notes what it started on. */
function program(folder: string): string {
  return `#!/bin/sh
case "$*" in
*--version*) echo "mysqld  Ver 9.7.0 for Linux on x86_64" ;;
*--initialize*) mkdir '${folder}/scratch' && touch '${folder}/scratch/new' ;;
*) ls '${folder}/scratch' >>'${folder}/../starts'; exit 1 ;;
esac
`;
}
