/** The account of an agent that may not do all that a fence needs. */

import assert from "node:assert/strict";
import { createDatabase, type MysqlDatabase } from "../../mysql/database.ts";
import { parseSysvars } from "../../mysql/sysvars.ts";
import { unfit } from "../../mysql/unfit.ts";
import { DatabaseNode } from "./database_node.ts";
import { LabServer } from "./lab.ts";

const quick = { deadlineMs: 20_000 } as const;
const limitMs = 10_000;

Deno.test("an account that lacks PROCESS makes a server unfit and a fence kill it, a role gives it", async (test) => {
  await using node = new DatabaseNode(await LabServer.start(1));
  const open = async () => {
    // A fence has ended the client before.
    const root = await node.client();
    await root.query("SET GLOBAL read_only = OFF", quick);
    return root;
  };
  const ask = async (user: string) => {
    const database = databaseOf(node, user);
    await database.prepare();
    const look = await database.look(limitMs);
    assert.ok(look.kind === "seen");
    await open();
    return { database, reasons: unfit(look.facts, "manage") };
  };
  const root = await open();
  for (const user of ["part", "full", "roled"]) {
    await root.query(`CREATE USER ${user}@localhost IDENTIFIED BY 'p'`, quick);
    await root.query(`GRANT ALL ON *.* TO ${user}@localhost WITH GRANT OPTION`, quick);
  }
  for (const user of ["part", "roled"]) {
    await root.query(`REVOKE PROCESS ON *.* FROM ${user}@localhost`, quick);
  }
  await root.query("CREATE ROLE looker", quick);
  await root.query("GRANT PROCESS ON *.* TO looker", quick);
  await root.query("GRANT looker TO roled@localhost", quick);
  await root.query("SET DEFAULT ROLE looker TO roled@localhost", quick);
  await root.query("SET GLOBAL super_read_only = ON", quick);

  await test.step("without it", async () => {
    const { database, reasons } = await ask("part");
    assert.equal(reasons.length, 1);
    assert.match(reasons[0] ?? "", /GRANT PROCESS ON \*\.\* TO `part`@`localhost`/);
    const fenced = await database.fence(limitMs);
    assert.equal(fenced.kind, "mustKill");
    await database[Symbol.asyncDispose]();
    await (await node.client()).query("SET GLOBAL super_read_only = ON", quick);
  });
  for (const user of ["full", "roled"]) {
    await test.step(`with it: ${user}`, async () => {
      const { database, reasons } = await ask(user);
      assert.deepEqual(reasons, []);
      assert.deepEqual(await database.fence(limitMs), { kind: "closed" });
      await database[Symbol.asyncDispose]();
    });
  }
});

function databaseOf({ lab }: DatabaseNode, user: string): MysqlDatabase {
  return createDatabase({
    endpoint: { user, password: "p", socketPath: lab.sandbox.socket },
    replication: { user: "repl", password: "geheim" },
    leaderSysvars: parseSysvars(""),
    followerSysvars: parseSysvars(""),
    connectMs: limitMs,
    statementMs: limitMs,
    fenceMs: limitMs,
    now: () => performance.now(),
  });
}
