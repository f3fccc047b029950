import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type AccountPlan,
  type AccountWish,
  normalPrivileges,
  parsePrivileges,
  planAccount,
} from "./accounts.ts";

const free = { exists: false, isOwn: (user: string) => ["root", "repl"].includes(user) } as const;
const taken = { ...free, exists: true } as const;
const everything = { kind: "everything" } as const;

function creation(change: Partial<AccountWish & { readonly kind: "create" }> = {}): AccountWish {
  return {
    kind: "create",
    user: "app",
    host: "%",
    password: "secret word",
    requireX509: false,
    grants: everything,
    ...change,
  };
}

function some(database: string, table: string, privileges: readonly string[] = ["SELECT"]) {
  return { grants: { kind: "some", database, table, privileges } } as const;
}

function sqlOf(plan: AccountPlan): readonly string[] {
  if (plan.kind === "refuse") throw new Error(`refused: ${plan.because}`);
  return [plan.first, ...plan.rest].map(({ sql }) => sql);
}

const made: readonly (readonly [AccountWish, readonly string[]])[] = [
  [creation(), [
    "CREATE USER 'app'@'%' IDENTIFIED BY 'secret word'",
    "GRANT ALL ON *.* TO 'app'@'%' WITH GRANT OPTION",
  ]],
  [creation({ requireX509: true, password: "" }), [
    "CREATE USER 'app'@'%' IDENTIFIED BY '' REQUIRE X509",
    "GRANT ALL ON *.* TO 'app'@'%' WITH GRANT OPTION",
  ]],
  [creation({ user: "o'b`r\"i\\en", host: "10.0.0.%", ...some("a`b", "*") }), [
    "CREATE USER 'o''b`r\"i\\\\en'@'10.0.0.%' IDENTIFIED BY 'secret word'",
    "GRANT SELECT ON `a``b`.* TO 'o''b`r\"i\\\\en'@'10.0.0.%'",
  ]],
  [creation(some("db", "t.x", ["SELECT", "INSERT"])), [
    "CREATE USER 'app'@'%' IDENTIFIED BY 'secret word'",
    "GRANT SELECT, INSERT ON `db`.`t.x` TO 'app'@'%'",
  ]],
];

for (const [wish, wanted] of made) {
  Deno.test(`planAccount() writes ${wanted.join("; ")}`, () => {
    assert.deepEqual(sqlOf(planAccount(wish, free)), wanted);
  });
}

Deno.test("planAccount() changes and drops an account that exists", () => {
  const name = { user: "app", host: "%" };
  assert.deepEqual(sqlOf(planAccount({ kind: "password", ...name, password: "it's" }, taken)), [
    "ALTER USER 'app'@'%' IDENTIFIED BY 'it''s'",
  ]);
  assert.deepEqual(sqlOf(planAccount({ kind: "drop", ...name }, taken)), ["DROP USER 'app'@'%'"]);
});

Deno.test("a statement with a password is secret, and its sentence does not name it", () => {
  for (const wish of [creation(), { ...creation(), kind: "password" } as AccountWish]) {
    const plan = planAccount(wish, { ...free, exists: wish.kind === "password" });
    assert.ok(plan.kind === "run" && plan.first.secret);
    assert.ok(!JSON.stringify({ ...plan, first: plan.first.what }).includes("secret word"));
  }
});

const refused: readonly (readonly [string, AccountWish, RegExp])[] = [
  ["an empty name", creation({ user: "" }), /catch other users' logins/],
  ["the agent's account", creation({ user: "root", host: "10.%" }), /cluster itself logs in/],
  ["the replicas' account", { kind: "drop", user: "repl", host: "%" }, /cluster itself logs in/],
  ["an account of the server", creation({ user: "mysql.sys" }), /belongs to the server/],
  ["a long name", creation({ user: "ä".repeat(33) }), /33 characters, the most is 32/],
  ["an emoji", creation({ user: "app🙂" }), /beyond U\+FFFF/],
  ["an empty host", creation({ host: "" }), /"%" is any host/],
  ["a strange host", creation({ host: "höst" }), /no name, address or pattern/],
  ["a NUL", creation({ user: "a\0b" }), /control character/],
  ["an empty password", creation({ password: "" }), /password is empty/],
  ["a long password", creation({ password: "x".repeat(257) }), /257 bytes/],
  ["a table of no database", creation(some("*", "t")), /name the database/],
  ["an empty database", creation(some("", "*")), /"\*" is all/],
  ["a global privilege", creation(some("db", "*", ["PROCESS"])), /PROCESS cannot .* one database/],
  ["a wide privilege", creation(some("db", "t", ["EVENT"])), /EVENT cannot .* one table/],
  ["a made-up privilege", creation(some("db", "*", ["ALL, X"])), /no privileges/],
  ["no privilege", creation(some("db", "*", [])), /no privilege is named/],
];

for (const [name, wish, because] of refused) {
  Deno.test(`planAccount() refuses ${name}`, () => {
    const plan = planAccount(wish, { ...free, exists: wish.kind !== "create" });
    assert.ok(plan.kind === "refuse", "it must be refused");
    assert.match(plan.because, because);
  });
}

Deno.test("planAccount() refuses to make an account twice, or to change one that is not there", () => {
  const again = planAccount(creation(), taken);
  assert.deepEqual(again, { kind: "refuse", because: 'the account "app"@"%" exists already' });
  const gone = planAccount({ kind: "drop", user: "app", host: "h" }, free);
  assert.deepEqual(gone, { kind: "refuse", because: 'there is no account "app"@"h"' });
});

Deno.test("parsePrivileges() takes the closed list in any case, with one comma too many", () => {
  assert.deepEqual(parsePrivileges("select, Create  View,SELECT,"), ["SELECT", "CREATE VIEW"]);
  assert.deepEqual(parsePrivileges(normalPrivileges.join(",")), normalPrivileges);
  for (const wrong of ["", "ALL", "SUPER", "SELECT ON *.*", "SELECT;DROP", "SELECT,,INSERT"]) {
    assert.throws(() => parsePrivileges(wrong), SyntaxError, wrong);
  }
});

Deno.test("no name or password ends its quotes, whatever it is made of", () => {
  const nasty = fc.string({ unit: fc.constantFrom(..."ab'\"\\`%_@;-# é"), minLength: 1 });
  const host = fc.string({ unit: fc.constantFrom(..."a1.%_'\"\\`"), minLength: 1 });
  fc.assert(fc.property(nasty, host, nasty, (user, where, password) => {
    const wish = creation({ user, host: where, password, ...some(user, "*") });
    const plan = planAccount(wish, free);
    if (plan.kind === "refuse") return;
    const literal = "'(?:[^'\\\\]|''|\\\\\\\\)*'";
    const create = new RegExp(`^CREATE USER ${literal}@${literal} IDENTIFIED BY ${literal}$`, "u");
    assert.match(plan.first.sql, create);
    const name = "`(?:[^`]|``)+`";
    assert.match(
      plan.rest[0]?.sql ?? "",
      new RegExp(`^GRANT SELECT ON ${name}\\.\\* TO ${literal}@${literal}$`, "u"),
    );
  }));
});
