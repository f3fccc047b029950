import assert from "node:assert/strict";
import { leaving, type SessionSeen, stillShared } from "./cut_off.ts";

function session(sessionId: number, user: string, acknowledges = true): SessionSeen {
  return { sessionId, user, acknowledges };
}

Deno.test("leaving() takes sessions of the accounts, and logins that began before the lock", () => {
  const sessions = [session(1, "repl_a"), session(2, "repl_b"), session(3, ""), session(4, "")];
  const left = leaving(sessions, { accounts: ["repl_a", "repl"], logins: new Set([3]) });
  assert.deepEqual(left.map(({ sessionId }) => sessionId), [1, 3]);
});

Deno.test("stillShared() keeps the shared account while too few have accounts of their own", () => {
  const shared = { user: "repl", host: "%", locked: false, replicates: true, hasPassword: true };
  const seen = { rows: [shared], user: "repl", stay: ["repl_b", "repl_c"], k: 1 };
  const on = (...sessions: readonly SessionSeen[]) => stillShared({ ...seen, sessions });
  assert.match(on(session(1, "repl"), session(2, "repl")) ?? "", /only 0 .* run this version/);
  assert.match(on(session(1, "repl_b", false), session(2, "repl_a")) ?? "", /only 0/);
  assert.equal(on(session(1, "repl_b"), session(2, "repl")), null);
  const locked = { ...seen, rows: [{ ...shared, locked: true }] };
  assert.equal(stillShared({ ...locked, sessions: [] }), null);
  assert.equal(stillShared({ ...seen, rows: [], sessions: [] }), null);
});
