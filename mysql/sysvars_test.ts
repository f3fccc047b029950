import assert from "node:assert/strict";
import fc from "fast-check";
import { parseSysvars } from "./sysvars.ts";

const read: readonly (readonly [string, readonly string[]])[] = [
  ["", []],
  [" ; ;", []],
  ["sync_binlog=default;innodb_flush_log_at_trx_commit=1;", [
    "SET GLOBAL `sync_binlog` = DEFAULT",
    "SET GLOBAL `innodb_flush_log_at_trx_commit` = 1",
  ]],
  ["Long_Query_Time = 0.5", ["SET GLOBAL `long_query_time` = 0.5"]],
  ["event_scheduler=on", ["SET GLOBAL `event_scheduler` = 'on'"]],
  ["validate_password.policy=LOW", ["SET GLOBAL `validate_password`.`policy` = 'LOW'"]],
  ["sql_mode='STRICT_TRANS_TABLES,NO_ZERO_DATE'", [
    "SET GLOBAL `sql_mode` = 'STRICT_TRANS_TABLES,NO_ZERO_DATE'",
  ]],
  ["init_connect='SET a=1; SET b=''x'''", ["SET GLOBAL `init_connect` = 'SET a=1; SET b=''x'''"]],
  ['a="say ""no"""', ["SET GLOBAL `a` = 'say \"no\"'"]],
];

for (const [text, wanted] of read) {
  Deno.test(`parseSysvars() reads "${text}"`, () => {
    const result = parseSysvars(text);
    assert.deepEqual(result.statements.map(({ sql }) => sql), wanted);
    assert.deepEqual(result.dropped, []);
    assert.ok(result.statements.every(({ mayFail }) => mayFail));
  });
}

Deno.test("parseSysvars() drops what promotion and fencing decide, and says so", () => {
  const names = [
    "read_only",
    "SUPER_READ_ONLY",
    "offline_mode",
    "rpl_semi_sync_source_enabled",
    "gtid_mode",
    "global.read_only",
  ];
  const result = parseSysvars(names.map((name) => `${name}=1`).join(";"));
  assert.deepEqual(result.statements, []);
  assert.equal(result.dropped.length, names.length);
  assert.match(result.dropped[1] ?? "", /"super_read_only" is left out/);
});

const refused = [
  "sync_binlog",
  "=1",
  "a b=1",
  "a=1 OR 1",
  "a=(SELECT 1)",
  "a=@@b",
  "a='open",
  "a='x' 'y'",
  "a=1,GLOBAL read_only=0",
  "a='back\\slash'",
  `a=${"x".repeat(20_000)}`,
];

for (const text of refused) {
  Deno.test(`parseSysvars() refuses "${text.slice(0, 30)}"`, () => {
    assert.throws(() => parseSysvars(text), SyntaxError);
  });
}

Deno.test("parseSysvars() makes no statement whose text could hold a second one", () => {
  const nasty = fc.string({ unit: fc.constantFrom(..."ab='\"\\`;, 1@()") });
  fc.assert(fc.property(nasty, (text) => {
    let statements: readonly { readonly sql: string }[] = [];
    try {
      statements = parseSysvars(text).statements;
    } catch (error) {
      assert.ok(error instanceof SyntaxError);
    }
    for (const { sql } of statements) {
      assert.match(sql, /^SET GLOBAL (`\w+`\.)?`\w+` = (DEFAULT|[+-]?[\d.]+|'([^']|'')*')$/);
    }
  }));
});
