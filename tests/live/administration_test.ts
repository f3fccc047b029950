/** Accounts, settings and binary logs on a real server: with hostile names, and without secrets in errors. */

import assert from "node:assert/strict";
import type { AccountWish } from "../../mysql/accounts.ts";
import { normalPrivileges } from "../../mysql/accounts.ts";
import { Connection } from "../../mysql/client.ts";
import { planPurge } from "../../mysql/plan_purge.ts";
import { planSetGlobal } from "../../mysql/set_global.ts";
import { DatabaseNode } from "./database_node.ts";
import { replicationAccount } from "../../mysql/replication_account.ts";
import { LabServer } from "./lab.ts";

const quick = { deadlineMs: 5_000 } as const;
const endless = { signal: new AbortController().signal, entitled: () => true };
const clusterUuid = "c1c1c1c1-0000-4000-8000-000000000001";
const everything = { kind: "everything" } as const;

Deno.test("a server's accounts, settings and binary logs are administered", async (test) => {
  await using node = new DatabaseNode(await LabServer.start());
  await node.database.prepare();
  await refusesClosed(test, node);
  const promotion = {
    clusterUuid,
    term: 1,
    k: 0,
    held: "",
    replicas: [node.replica],
    progress: () => {},
  };
  await node.database.promote(promotion, endless);
  await makesAccounts(test, node);
  await keepsSecrets(test, node);
  await setsGlobals(test, node);
  await purgesLogs(test, node);
});

async function refusesClosed(test: Deno.TestContext, node: DatabaseNode): Promise<void> {
  await test.step("a closed server refuses to change accounts, with the reason", async () => {
    const because = /Cannot change "app"@"%": the server is not open for writes/;
    await assert.rejects(node.database.administration.changeAccount(create("app", "%")), because);
  });
}

/** Names and passwords that would break any careless quoting. */
const hostile: readonly (readonly [string, string])[] = [
  ["o'brien", "it's"],
  ["back`tick", "semi;colon -- /* */"],
  ['dou"ble', 'q"u"o\'te'],
  ["back\\slash", "\\' OR 1=1 \\"],
  ["percent%s_?", "100%?:?"],
  ["name with blank", " blank at both ends "],
  ["größe名", "пароль名"],
  ["'; DROP USER 'x'@'%'; --", "$(reboot)`id`"],
];

async function makesAccounts(test: Deno.TestContext, node: DatabaseNode): Promise<void> {
  const { administration } = node.database;
  for (const mode of ["DEFAULT", "'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'"]) {
    await test.step(`hostile names and passwords arrive as typed, sql_mode ${mode}`, async () => {
      await using root = await node.client();
      await root.query(`SET GLOBAL sql_mode = ${mode}`, quick);
      for (const [user, password] of hostile) {
        await administration.changeAccount({ ...create(user, "%", password) });
        await logIn(node, user, password);
        const wish = { kind: "password", user, host: "%", password: `${password}2` } as const;
        await administration.changeAccount(wish);
        await logIn(node, user, `${password}2`);
      }
      const seen = new Set((await administration.accounts()).map(({ user }) => user));
      for (const [user] of hostile) assert.ok(seen.has(user), user);
      for (const [user] of hostile) {
        await administration.changeAccount({ kind: "drop", user, host: "%" });
      }
      const left = (await administration.accounts()).map(({ user }) => user);
      assert.ok(hostile.every(([user]) => !left.includes(user)), left.join());
      await root.query("SET GLOBAL sql_mode = DEFAULT", quick);
    });
  }

  await test.step("the normal privileges, and the super user's", async () => {
    const grants = { kind: "some", privileges: normalPrivileges, database: "*", table: "*" };
    await administration.changeAccount({ ...create("normal", "10.%"), grants } as AccountWish);
    await administration.changeAccount({ ...create("boss", "%"), requireX509: true });
    const accounts = await administration.accounts();
    const find = (name: string) => accounts.find(({ user }) => user === name);
    assert.deepEqual(find("normal"), { user: "normal", host: "10.%", superior: false });
    assert.deepEqual(find("boss"), { user: "boss", host: "%", superior: true });
    await using root = await node.client();
    const [row] = await root.query(
      "SELECT ssl_type AS kind FROM mysql.user WHERE User = 'boss'",
      quick,
    );
    assert.equal(String(row?.kind), "X509");
  });

  await test.step("an account whose privileges fail is not left behind", async () => {
    const grants = { kind: "some", privileges: ["SELECT"], database: "no_db", table: "no_table" };
    const wish = { ...create("half", "%"), grants } as AccountWish;
    await assert.rejects(administration.changeAccount(wish), /Cannot grant privileges to "half"/);
    assert.ok(!(await administration.accounts()).some(({ user }) => user === "half"));
  });

  await test.step("accounts of the cluster, and what is there already, are left alone", async () => {
    const change = (wish: AccountWish) => administration.changeAccount(wish);
    await assert.rejects(change({ kind: "drop", user: "repl", host: "%" }), /cluster itself/);
    const ofReplica = replicationAccount("repl", node.replica);
    await assert.rejects(change({ kind: "drop", user: ofReplica, host: "%" }), /cluster itself/);
    await assert.rejects(change(create("root", "10.%")), /cluster itself/);
    await assert.rejects(change(create("boss", "%")), /exists already/);
    await assert.rejects(
      change({ kind: "drop", user: "nobody", host: "%" }),
      /there is no account/,
    );
  });
}

async function keepsSecrets(test: Deno.TestContext, node: DatabaseNode): Promise<void> {
  await test.step("an error of the server does not repeat the password", async () => {
    await using root = await node.client();
    await root.query("INSTALL COMPONENT 'file://component_validate_password'", quick);
    const wish = create("weak", "%", "simple word");
    const failed: unknown = await node.database.administration.changeAccount(wish)
      .then(() => null, (error) => error);
    await root.query("UNINSTALL COMPONENT 'file://component_validate_password'", quick);
    assert.ok(failed instanceof Error);
    assert.doesNotMatch(Deno.inspect(failed, { depth: 9 }), /simple word/);
    assert.match(failed.message, /Cannot create the account "weak".*password policy/);
  });
}

async function setsGlobals(test: Deno.TestContext, node: DatabaseNode): Promise<void> {
  await test.step("several variables are set together, or none", async () => {
    const set = async (text: string) => {
      const plan = planSetGlobal(text, { leads: true });
      assert.ok(plan.kind === "run");
      await node.database.administration.setGlobals(plan.statement);
    };
    await set("SET GLOBAL long_query_time=0.25, GLOBAL max_connections=321");
    await using root = await node.client();
    const read = async () => {
      const sql = "SELECT @@GLOBAL.long_query_time AS l, @@GLOBAL.max_connections AS m";
      const [row] = await root.query(sql, quick);
      return [Number(row?.l), Number(row?.m)];
    };
    assert.deepEqual(await read(), [0.25, 321]);
    await assert.rejects(set("SET GLOBAL max_connections=99, no_such=1"), /no_such/);
    assert.deepEqual(await read(), [0.25, 321]);
  });
}

async function purgesLogs(test: Deno.TestContext, node: DatabaseNode): Promise<void> {
  await test.step("binary logs tell what was before them, and are purged by that", async () => {
    const { administration } = node.database;
    await using root = await node.client();
    await root.query("CREATE DATABASE growth", quick);
    for (let count = 0; count < 4; count++) {
      await root.query(`CREATE TABLE growth.t${count} (a INT)`, quick);
      await root.query("FLUSH BINARY LOGS", quick);
    }
    const logs = await administration.binaryLogs();
    const facts = await node.facts();
    const members = [{ id: "a", executed: facts.executed, because: "" }];
    const plan = planPurge({ logs, purged: facts.purged, errant: "", members });
    assert.ok(plan.kind === "purge" && plan.files === logs.length - 2, JSON.stringify(plan));
    await administration.purge(plan.to);
    const left = await administration.binaryLogs();
    assert.deepEqual(left.map(({ name }) => name), logs.slice(-2).map(({ name }) => name));
    assert.notEqual((await node.facts()).purged, "");
  });

  await test.step("a closed server is purged too, as a follower's logs grow like a leader's", async () => {
    await using root = await node.client();
    for (let count = 0; count < 3; count++) await root.query("FLUSH BINARY LOGS", quick);
    assert.deepEqual(await node.database.fence(5_000), { kind: "closed" });
    const before = await node.facts();
    const logs = await node.database.administration.binaryLogs();
    await node.database.administration.purge(logs.at(-1)?.name ?? "");
    assert.equal((await node.database.administration.binaryLogs()).length, 1);
    const after = await node.facts();
    assert.equal(after.executed, before.executed, "no transaction is born by it");
    assert.ok(after.superReadOnly);
  });
}

function create(user: string, host: string, password = "a good password"): AccountWish & {
  readonly kind: "create";
} {
  return { kind: "create", user, host, password, requireX509: false, grants: everything };
}

async function logIn(node: DatabaseNode, user: string, password: string): Promise<void> {
  await using _connection = await Connection.connect({
    user,
    password,
    ...node.address,
    connectMs: 5_000,
  });
}
