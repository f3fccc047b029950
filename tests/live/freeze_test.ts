/** A freeze on a server whose agent has not looked since it was first pointed at its source. */

import assert from "node:assert/strict";
import { contains, parse } from "../../mysql/gtid.ts";
import { pause } from "../../mysql/time_left.ts";
import { DatabaseNode } from "./database_node.ts";
import { LabServer } from "./lab.ts";

const clusterUuid = "c1c1c1c1-0000-4000-8000-000000000001";
const quick = { deadlineMs: 20_000 } as const;
const endless = { signal: new AbortController().signal, entitled: () => true };

Deno.test("a freeze right after the first pointing tells what was received and is not applied", async () => {
  const labs = await Promise.all([1, 2].map((id) => LabServer.start(id)));
  await using a = new DatabaseNode(labs[0]!);
  await using b = new DatabaseNode(labs[1]!);
  for (const node of [a, b]) await node.database.prepare();
  const replicas = [a.replica, b.replica];
  const wish = { clusterUuid, term: 1, k: 0, held: "", replicas, progress: () => {} };
  await a.database.promote(wish, endless);
  await b.followUntilSettled(a);
  const writer = await a.client();
  const replica = await b.client();
  await writer.query("CREATE DATABASE d", quick);
  for (const sql of ["STOP REPLICA", "RESET REPLICA ALL"]) await replica.query(sql, quick);
  const forgot = await b.facts();
  assert.equal(forgot.replication, null);
  const following = { source: a.address, acknowledge: true, replica: b.replica };
  await b.database.follow(following, forgot);
  await replica.query("STOP REPLICA SQL_THREAD", quick);
  await writer.query("CREATE DATABASE received_only", quick);

  const status = async () => (await replica.query("SHOW REPLICA STATUS", quick))[0]!;
  const received = async () => parse(String((await status())["Retrieved_Gtid_Set"]));
  const { executed } = await a.facts();
  const last = `${executed.split(":")[0]}:${/(\d+)(?:,|$)/.exec(executed)?.[1]}`;
  for (let tries = 0; tries < 500 && !contains(await received(), parse(last)); tries++) {
    await pause(10);
  }
  const held = await b.database.freeze({ until: "", untilMs: 2_000 });
  assert.ok(contains(parse(held), await received()), `it told ${held}`);
  assert.ok(contains(parse(held), parse(last)), `it told ${held}`);
  for (const client of [writer, replica]) await client.close();
});
