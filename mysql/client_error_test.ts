import assert from "node:assert/strict";
import { detailsOf, shownMessage, shownSql } from "./client_error.ts";

function serverError(code: string, errno: number) {
  return Object.assign(new Error("text"), { code, errno, sqlState: "HY000" });
}

Deno.test("detailsOf() tells by kind what a caller can do", () => {
  const kinds = [
    Object.assign(new Error(), { code: "ECONNREFUSED", errno: -111 }),
    Object.assign(new Error(), { code: "ENOENT", errno: -2 }),
    Object.assign(new Error(), { code: "ETIMEDOUT" }),
    Object.assign(new Error(), { code: "PROTOCOL_CONNECTION_LOST" }),
    Object.assign(new Error(), { code: "ECONNRESET", errno: -104 }),
    serverError("ER_ACCESS_DENIED_ERROR", 1045),
    serverError("ER_SERVER_SHUTDOWN", 1053),
    serverError("ER_CON_COUNT_ERROR", 1040),
    serverError("ER_DUP_ENTRY", 1062),
    serverError("UNKNOWN_CODE_PLEASE_REPORT", 6789),
    "a text",
    undefined,
  ].map((failure) => detailsOf(failure).kind);
  assert.deepEqual(kinds, [
    "refused",
    "refused",
    "timeout",
    "lost",
    "lost",
    "denied",
    "lost",
    "sql",
    "sql",
    "sql",
    "lost",
    "lost",
  ]);
});

Deno.test("detailsOf() keeps the number of a server's error and drops that of the system", () => {
  assert.equal(detailsOf(serverError("ER_DUP_ENTRY", 1062)).errno, 1062);
  assert.equal(detailsOf({ code: "ECONNREFUSED", errno: -111 }).errno, 0);
});

Deno.test("shownSql() hides what a statement with a password quotes", () => {
  for (
    const sql of [
      "CREATE USER rep@'%' IDENTIFIED BY 'geheim'",
      'ALTER USER rep IDENTIFIED BY "geheim"',
      "CHANGE REPLICATION SOURCE TO SOURCE_USER='rep', SOURCE_PASSWORD='geheim', SOURCE_PORT=1",
      "SET PASSWORD = 'it\\'s geheim'",
      "SET PASSWORD = 'it''s geheim'",
      "SET PASSWORD = 'cut geheim",
    ]
  ) assert.doesNotMatch(shownSql(sql), /geheim/, sql);
});

Deno.test("shownSql() keeps an ordinary statement, on one short line", () => {
  assert.equal(shownSql("SELECT 'a',\n   1"), "SELECT 'a', 1");
  assert.equal(shownSql(`SELECT '${"x".repeat(500)}'`).length, 121);
});

Deno.test("shownMessage() hides the part of a statement that a syntax error repeats", () => {
  const sql = "CREATE USER rep IDENTIFIED BY 'geheim' WAT";
  const said = new Error("You have an error near 'BY 'geheim' WAT' at line 1");
  assert.doesNotMatch(shownMessage(said, sql), /geheim/);
  assert.equal(shownMessage(new Error("Unknown column 'a'"), "SELECT a"), "Unknown column 'a'");
});
