import assert from "node:assert/strict";
import fc from "fast-check";
import { planSetGlobal } from "./set_global.ts";

const follower = { leads: false } as const;
const leader = { leads: true } as const;

const read: readonly (readonly [string, string])[] = [
  ["SET GLOBAL max_connections=200", "SET GLOBAL `max_connections` = 200"],
  [" set\tglobal\nMAX_Connections = 200 ; ", "SET GLOBAL `max_connections` = 200"],
  [
    "SET GLOBAL a=1, global b='x,y=1;z',c=default",
    [
      "SET GLOBAL `a` = 1, GLOBAL `b` = 'x,y=1;z', GLOBAL `c` = DEFAULT",
    ].join(""),
  ],
  [
    "SET GLOBAL sql_mode=STRICT_ALL_TABLES,NO_ZERO_DATE",
    "SET GLOBAL `sql_mode` = 'STRICT_ALL_TABLES,NO_ZERO_DATE'",
  ],
  ["SET GLOBAL validate_password.policy := LOW", "SET GLOBAL `validate_password`.`policy` = 'LOW'"],
];

for (const [text, sql] of read) {
  Deno.test(`planSetGlobal() reads ${JSON.stringify(text)}`, () => {
    const plan = planSetGlobal(text, leader);
    assert.ok(plan.kind === "run");
    assert.equal(plan.statement.sql, sql);
  });
}

const unreadable = [
  "",
  "max_connections=200",
  "SET max_connections=200",
  "SET SESSION a=1",
  "SET GLOBAL",
  "SET GLOBAL a",
  "SET GLOBAL a=1; DROP TABLE t",
  "SET GLOBAL a=(SELECT 1)",
  "SET GLOBAL a=1 -- x",
  "SET GLOBAL a=1, @@session.b=2",
  "SET GLOBAL a=1, @b=2",
  "SET GLOBAL `read_only`=0",
  "SET GLOBAL @@read_only=0",
  "SET/**/GLOBAL a=1",
  `SET GLOBAL a='${"x".repeat(5_000)}'`,
];

for (const text of unreadable) {
  Deno.test(`planSetGlobal() does not take ${text.slice(0, 40)}`, () => {
    assert.throws(() => planSetGlobal(text, follower), SyntaxError);
  });
}

const owned = [
  "read_only=0",
  "SUPER_READ_ONLY=off",
  "offline_mode=1",
  "rpl_semi_sync_source_enabled=0",
  "rpl_semi_sync_master_timeout=1",
  "gtid_mode=OFF_PERMISSIVE",
  "gtid_purged='x'",
  "server_id=9",
  "enforce_gtid_consistency=WARN",
  "max_connections=5, read_only=0",
];

for (const text of owned) {
  Deno.test(`planSetGlobal() refuses ${text}, which the agent owns`, () => {
    assert.equal(planSetGlobal(`SET GLOBAL ${text}`, follower).kind, "refuse");
  });
}

Deno.test("planSetGlobal() keeps a leader durable, and lets a follower be fast", () => {
  for (const name of ["sync_binlog", "innodb_flush_log_at_trx_commit"]) {
    assert.equal(planSetGlobal(`SET GLOBAL ${name}=2`, leader).kind, "refuse");
    assert.equal(planSetGlobal(`SET GLOBAL ${name}=1`, leader).kind, "run");
    assert.equal(planSetGlobal(`SET GLOBAL ${name}=default`, leader).kind, "run");
    assert.equal(planSetGlobal(`SET GLOBAL ${name}=2`, follower).kind, "run");
  }
});

Deno.test("planSetGlobal() never writes more than settings, whatever is typed", () => {
  const nasty = fc.string({ unit: fc.constantFrom(..."ab=,'\"\\`; 1@()GLOBAL") });
  fc.assert(fc.property(nasty, (text) => {
    try {
      const plan = planSetGlobal(`SET GLOBAL a=${text}`, follower);
      if (plan.kind === "refuse") return;
      const value = "(?:DEFAULT|[+-]?[\\d.]+|'(?:[^']|'')*')";
      const one = `GLOBAL (?:\`\\w+\`\\.)?\`\\w+\` = ${value}`;
      assert.match(plan.statement.sql, new RegExp(`^SET ${one}(?:, ${one})*$`));
    } catch (error) {
      assert.ok(error instanceof SyntaxError, String(error));
    }
  }));
});
