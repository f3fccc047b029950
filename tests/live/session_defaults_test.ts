/** A server whose defaults for sessions would stop an agent, were they those of its sessions. */

import assert from "node:assert/strict";
import { DatabaseNode } from "./database_node.ts";
import { LabServer } from "./lab.ts";

const clusterUuid = "c1c1c1c1-0000-4000-8000-000000000001";
const endless = { signal: new AbortController().signal, entitled: () => true };

Deno.test("a server is promoted, closed and fenced whatever it sets for the sessions of others", async () => {
  const lines = [
    "autocommit=0",
    "completion_type=2",
    "transaction_read_only=ON",
    "max_execution_time=1",
    "max_join_size=1",
    "sql_mode=ANSI,NO_BACKSLASH_ESCAPES",
  ];
  await using node = new DatabaseNode(await LabServer.start(1, lines));
  const other = await node.client();
  // No option of my.cnf.
  await other.query("SET GLOBAL sql_select_limit = 1", { deadlineMs: 20_000 });
  await other.close();
  const { database, replica } = node;
  const wish = { clusterUuid, k: 0, held: "", progress: () => {} };
  const replicas = [replica, { id: "10.0.0.9:3306", since: 0 }];
  await database.prepare();
  await database.promote({ ...wish, replicas, term: 1 }, endless);
  await database.administration.changeAccount({
    kind: "create",
    user: "u",
    host: "%",
    password: "p\\'p",
    requireX509: false,
    grants: { kind: "everything" },
  });
  assert.ok((await database.administration.accounts()).some(({ user }) => user === "u"));
  await database.close(5_000, endless);
  await database.promote({ ...wish, replicas, term: 2 }, endless);
  const facts = await node.facts();
  assert.ok(facts.semiSyncSource.installed && facts.semiSyncReplica.installed && !facts.readOnly);
  assert.match(facts.executed, new RegExp(`${clusterUuid}:1-2`));
  assert.deepEqual(await database.fence(5_000), { kind: "closed" });
});
