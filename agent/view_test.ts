import assert from "node:assert/strict";
import { followerFacts } from "../mysql/fake_server.ts";
import type { ServerFacts } from "../mysql/facts.ts";
import { parseSysvars } from "../mysql/sysvars.ts";
import { settingsForget, silentView, type ViewContext, viewOf, withSettings } from "./view.ts";

const context: ViewContext = {
  at: 100,
  incarnation: null,
  errant: "",
  inStep: false,
  sourceLost: false,
  blocked: false,
  unfit: null,
};
const open: ServerFacts = { ...followerFacts, superReadOnly: false, readOnly: false };

Deno.test("only a server without read-only flags and offline_mode is writable for clients", () => {
  const seen = (flags: Partial<ServerFacts>) => {
    const view = viewOf({ ...open, ...flags }, context);
    return [view.open, view.writable];
  };
  assert.deepEqual(seen({}), [true, true]);
  assert.deepEqual(seen({ readOnly: true }), [true, false]);
  assert.deepEqual(seen({ offlineMode: true }), [true, false]);
  assert.deepEqual(seen({ readOnly: true, superReadOnly: true }), [false, false]);
});

Deno.test("the end of the binary log is as old as its look, and unknown of a silent server", () => {
  const view = viewOf(open, context);
  assert.equal(view.logEnd, "binlog.000001:4");
  assert.equal(view.logEndAt, 100);
  assert.equal(silentView(view, "unknown", "nobody may look").logEnd, null);
});

Deno.test("what a start threw away is told apart from what the next restart costs", () => {
  const told = (durability: Partial<ServerFacts["durability"]>) => {
    const kept = { ...open.durability, syncRelayLog: 1, ...durability };
    const view = viewOf({ ...open, durability: kept }, context);
    return [view.startForgot, view.processRestartForgets, view.hostRestartForgets]
      .map((reason) => reason?.split(" ")[0] ?? null);
  };
  assert.deepEqual(told({}), [null, null, null]);
  assert.deepEqual(told({ relayLogRecovery: true }), ["relay_log_recovery=ON", null, null]);
  assert.deepEqual(told({ syncRelayLog: 9 }), [null, null, "sync_relay_log=9"]);
  const flush = "innodb_flush_log_at_trx_commit";
  assert.deepEqual(told({ flushLogAtTrxCommit: 2 }), [null, null, `${flush}=2`]);
  assert.deepEqual(told({ flushLogAtTrxCommit: 0 }), [null, `${flush}=0`, `${flush}=0`]);
});

Deno.test("settings of followers that lose something count before the server has them", () => {
  const kept = { ...open.durability, syncRelayLog: 1 };
  const incarnation = { boot: "1", process: "1" };
  const view = viewOf({ ...open, durability: kept }, { ...context, incarnation });
  const told = (text: string) => {
    const { statements } = parseSysvars(text);
    const seen = withSettings(view, settingsForget(statements));
    return [seen.processRestartForgets !== null, seen.hostRestartForgets !== null];
  };
  assert.deepEqual(told(""), [false, false]);
  assert.deepEqual(told("sync_relay_log=1;innodb_flush_log_at_trx_commit=default"), [false, false]);
  assert.deepEqual(told("sync_binlog=1000;innodb_flush_log_at_trx_commit=2"), [false, true]);
  assert.deepEqual(told("SYNC_RELAY_LOG=default"), [false, true]);
  assert.deepEqual(told("sync_relay_log=10000; innodb_flush_log_at_trx_commit=0"), [true, true]);
  assert.deepEqual(told("innodb_flush_log_at_trx_commit=0"), [true, true]);
});
