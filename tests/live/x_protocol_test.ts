/** A fence and clients over the X Protocol, whose sockets a KILL does not close. */

import assert from "node:assert/strict";
import { findFreePorts } from "../../mysql/sandbox.ts";
import { pause } from "../../mysql/time_left.ts";
import { DatabaseNode } from "./database_node.ts";
import { LabServer } from "./lab.ts";
import { XSession } from "./x_session.ts";

const clusterUuid = "c1c1c1c1-0000-4000-8000-000000000001";
const quick = { deadlineMs: 20_000 } as const;
const endless = { signal: new AbortController().signal, entitled: () => true };
const fenceMs = 5_000;

Deno.test("a fence spares a server with idle X sessions, and gives up where one waits in a commit", async () => {
  const [port = 0] = findFreePorts(1);
  const lines = ["loose_mysqlx=1", `mysqlx_port=${port}`, "mysqlx_socket=x.sock"];
  await using node = new DatabaseNode(await LabServer.start(1, lines));
  const { database } = node;
  const socket = `${node.lab.sandbox.dataFolder}/x.sock`;
  const wish = { clusterUuid, k: 0, held: "", replicas: [node.replica], progress: () => {} };
  await database.prepare();
  await database.promote({ ...wish, term: 1 }, endless);
  using idle = await XSession.open(socket);
  assert.equal(await idle.sql("CREATE DATABASE d"), "done");
  assert.equal(await idle.sql("CREATE TABLE d.t (i INT AUTO_INCREMENT PRIMARY KEY)"), "done");

  await commitsWait(node);
  using _second = await XSession.open(socket);
  assert.deepEqual(await database.fence(fenceMs), { kind: "closed" });
  await database.promote({ ...wish, term: 2 }, endless);

  await commitsWait(node);
  using session = await XSession.open(socket);
  const heard = session.sql("INSERT INTO d.t () VALUES ()");
  await node.until("it waits", ({ semiSyncSource }) => semiSyncSource.waitSessions > 0);
  const fenced = await database.fence(fenceMs);
  assert.equal(fenced.kind, "mustKill");
  assert.match(fenced.kind === "mustKill" ? fenced.because : "", /over the X Protocol waits/);
  assert.equal(await Promise.race([heard, pause(500)]), undefined);
  const pid = Number(await Deno.readTextFile(node.lab.sandbox.pidFile));
  Deno.kill(pid, "SIGKILL");
  assert.equal(await heard, "closed");
});

/** Nobody is there who acknowledges. */
async function commitsWait(node: DatabaseNode): Promise<void> {
  const client = await node.client();
  await client.query("SET GLOBAL rpl_semi_sync_source_timeout = 4294967295", quick);
  await client.query("SET GLOBAL rpl_semi_sync_source_enabled = ON", quick);
  await client.close();
}
