import assert from "node:assert/strict";
import {
  accountRows,
  accountsQuery,
  chooseAccount,
  createAccounts,
  givePassword,
  isReplicationAccount,
  isUsable,
  lockAccounts,
  replicationAccount,
  spreadPassword,
} from "./replication_account.ts";

const id = "10.0.0.2:8801";

Deno.test("replicationAccount() is stable, fits the server, and differs by node and membership", () => {
  assert.equal(replicationAccount("repl", { id, since: 0 }), "repl_30b6794915");
  const names = [0, 3, 7].flatMap((since) =>
    [id, "10.0.0.3:8801"].map((node) => replicationAccount("repl", { id: node, since }))
  );
  assert.equal(new Set(names).size, 6);
  const long = replicationAccount("a_user_with_a_name_of_32_letters", { id, since: 1 });
  assert.equal(long.length, 32);
});

Deno.test("isReplicationAccount() knows the names of the cluster and no others", () => {
  const own = replicationAccount("repl", { id, since: 5 });
  for (const name of ["repl", own]) assert.ok(isReplicationAccount("repl", name), name);
  for (const name of ["repl_x", `${own}0`, "report", "repl_reports12"]) {
    assert.ok(!isReplicationAccount("repl", name), name);
  }
});

Deno.test("createAccounts() makes new accounts, and old ones usable with the present password", () => {
  const statements = createAccounts(["repl_a", "repl_b"], "it's");
  assert.deepEqual(statements.map(({ sql }) => sql), [
    "CREATE USER IF NOT EXISTS 'repl_a'@'%' IDENTIFIED BY 'it''s', 'repl_b'@'%' IDENTIFIED BY 'it''s'",
    "ALTER USER 'repl_a'@'%' IDENTIFIED BY 'it''s', 'repl_b'@'%' IDENTIFIED BY 'it''s' ACCOUNT UNLOCK",
    "GRANT REPLICATION SLAVE ON *.* TO 'repl_a'@'%', 'repl_b'@'%'",
  ]);
  assert.deepEqual(statements.map(({ secret }) => secret), [true, true, false]);
  assert.deepEqual(createAccounts([], "it's"), []);
});

Deno.test("givePassword() keeps the former password where the server and the password allow it", () => {
  const accounts = [{ user: "repl_a", hasPassword: true }, { user: "repl_b", hasPassword: false }];
  const version = (major: number, minor: number, patch: number) => {
    return { major, minor, patch, text: "" };
  };
  const sql = (password: string, ...at: Parameters<typeof version>) =>
    givePassword(accounts, password, version(...at)).at(-1)?.sql;
  const plain = "ALTER USER 'repl_a'@'%' IDENTIFIED BY 'x', 'repl_b'@'%' IDENTIFIED BY 'x'";
  assert.equal(
    sql("x", 8, 0, 14),
    "ALTER USER 'repl_a'@'%' IDENTIFIED BY 'x' RETAIN CURRENT PASSWORD, " +
      "'repl_b'@'%' IDENTIFIED BY 'x'",
  );
  assert.equal(sql("x", 8, 0, 13), plain);
  assert.equal(sql("x", 5, 7, 44), plain);
  assert.ok(!sql("", 9, 7, 4)?.includes("RETAIN"));
  assert.deepEqual(givePassword([], "x", version(9, 7, 4)), []);
  const [unlogged, given] = givePassword(accounts, "hidden", version(9, 7, 4));
  // Were the first refused and the second sent all the same, the binary log would have it.
  assert.deepEqual([unlogged?.mayFail, given?.mayFail], [false, true]);
  assert.ok(given?.secret === true && !given.what.includes("hidden"));
  const [spread] = spreadPassword(["repl_a", "repl_b"], "hidden");
  assert.equal(spread?.sql, plain.replaceAll("'x'", "'hidden'"));
  assert.ok(spread?.secret === true && !spread.what.includes("hidden"));
});

Deno.test("lockAccounts() locks every host of an account, and nothing twice", () => {
  assert.match(accountsQuery(["repl_a", "o'k"]), /WHERE User IN \('repl_a', 'o''k'\)$/);
  const rows = accountRows([
    { user: "repl_a", host: "%", locked: "N", replicates: "Y", has_password: 1 },
    { user: "repl_a", host: "10.%", locked: "N", replicates: "Y", has_password: 1 },
    { user: "repl", host: "%", locked: "Y", replicates: "Y", has_password: 1 },
    { user: "repl_c", host: "%", locked: "N", replicates: "N", has_password: 1 },
  ]);
  const sql = lockAccounts(rows.slice(0, 3)).map((one) => one.sql);
  assert.deepEqual(sql, ["ALTER USER 'repl_a'@'%', 'repl_a'@'10.%' ACCOUNT LOCK"]);
  assert.deepEqual(lockAccounts(rows.slice(2, 3)), []);
  const usable = ["repl_a", "repl", "repl_c", "repl_d"].filter((user) => isUsable(rows, user));
  assert.deepEqual(usable, ["repl_a"]);
});

Deno.test("chooseAccount() shares an account only while its own is not there and nobody locked it", () => {
  const names = { own: "repl_a", shared: "repl" };
  const row = (user: string, locked = false) => ({
    user,
    host: "%",
    locked,
    replicates: true,
    hasPassword: true,
  });
  const on = (receiverErrorNumber: number) => ({ sourceUser: "repl", receiverErrorNumber });
  const choose = (rows: readonly ReturnType<typeof row>[], error: number | null = null) =>
    chooseAccount(names, { rows, receiver: error === null ? null : on(error) });
  assert.equal(choose([]), "repl_a");
  assert.equal(choose([row("repl")]), "repl");
  assert.equal(choose([row("repl")], 2003), "repl");
  assert.equal(choose([row("repl"), row("repl_a")]), "repl_a");
  assert.equal(choose([row("repl", true)]), "repl_a");
  // It lags behind, and the leader has locked what it still uses.
  assert.equal(choose([row("repl")], 3118), "repl_a");
});
