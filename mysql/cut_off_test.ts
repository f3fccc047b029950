import assert from "node:assert/strict";
import { chooseReaders, leaving, type ReaderSeen } from "./cut_off.ts";

function reader(sessionId: number, change: Partial<ReaderSeen>): ReaderSeen {
  const uuid = `00000000-0000-0000-0000-00000000000${sessionId}`;
  return {
    sessionId,
    uuid,
    reportedHost: "",
    port: 3306,
    clientHost: `10.0.0.${sessionId}`,
    acknowledges: true,
    ...change,
  };
}

function idsOf(readers: readonly ReaderSeen[], replica: string): readonly number[] {
  return chooseReaders(readers, replica).map(({ sessionId }) => sessionId);
}

Deno.test("chooseReaders() knows a replica by its UUID, its reported host or its address", () => {
  const readers = [reader(1, { reportedHost: "db-b" }), reader(2, { reportedHost: "db-c" })];
  assert.deepEqual(idsOf(readers, "00000000-0000-0000-0000-000000000002"), [2]);
  assert.deepEqual(idsOf(readers, "db-b:3306"), [1]);
  assert.deepEqual(idsOf(readers, "10.0.0.2:3306"), [2]);
  assert.deepEqual(idsOf(readers, "db-d:3306"), []);
});

Deno.test("chooseReaders() gives all dump threads of one replica", () => {
  const uuid = "00000000-0000-0000-0000-000000000001";
  assert.deepEqual(idsOf([reader(1, {}), reader(7, { uuid })], uuid), [1, 7]);
});

Deno.test("chooseReaders() takes a silent replica by its port, unless several are silent", () => {
  assert.deepEqual(idsOf([reader(1, {}), reader(2, { port: 3307 })], "db-c:3307"), [2]);
  assert.throws(() => idsOf([reader(1, {}), reader(2, {})], "db-c:3306"), /set report_host/);
});

Deno.test("leaving() takes whoever acknowledges and does not stay where the address is unknown", () => {
  const readers = [reader(1, {}), reader(2, {}), reader(3, { acknowledges: false })];
  const idsLeaving = (replica: string | null, staying: readonly string[]) =>
    leaving(readers, { replica, staying }).map(({ sessionId }) => sessionId);
  assert.deepEqual(idsLeaving(null, ["10.0.0.1:3306"]), [2]);
  assert.deepEqual(idsLeaving(null, ["10.0.0.1:3306", "10.0.0.2:3306"]), []);
  assert.deepEqual(idsLeaving("10.0.0.3:3306", ["10.0.0.1:3306"]), [3]);
});
