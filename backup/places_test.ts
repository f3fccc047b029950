import assert from "node:assert/strict";
import type { ServerFolders } from "../mysql/server_variables.ts";
import { belongs, contentProblem, pathProblem, placeFor, placesApart, placesOf } from "./places.ts";

const data = "/var/lib/mysql";
const plain: ServerFolders = {
  data,
  redo: data,
  undo: data,
  system: data,
  systemFiles: ["ibdata1"],
  binaryLog: { folder: data, base: "binlog", index: `${data}/binlog.index` },
  relayLog: { folder: data, base: "relay", index: `${data}/relay.index` },
};

Deno.test("placesOf() knows one place where everything is in the data folder", () => {
  const places = placesOf(plain);
  assert.deepEqual(places.map(({ role }) => role), ["data"]);
  assert.equal(placeFor(places, "undo_001").folder, data);
});

Deno.test("placesOf() sends each file of a copy to the folder that the server reads it from", () => {
  const places = placesOf({
    ...plain,
    redo: "/fast/redo",
    undo: `${data}/undo`,
    binaryLog: { folder: "/logs", base: "bin.log", index: "/index/bin.index" },
  });
  assert.equal(placeFor(places, "#innodb_redo").folder, "/fast/redo");
  assert.equal(placeFor(places, "undo_002").folder, `${data}/undo`);
  assert.equal(placeFor(places, "bin.log.000042").folder, "/logs");
  assert.equal(placeFor(places, "bin.index").folder, "/index");
  assert.equal(placeFor(places, "mysql.ibd").folder, data);
  assert.deepEqual(placesApart(places).map(({ folder }) => folder), [
    data,
    "/fast/redo",
    "/logs",
    "/index",
  ]);
});

Deno.test("belongs() leaves alone what a shared folder holds of others, and folders of our own", () => {
  const logs = placesOf({
    ...plain,
    binaryLog: { folder: "/logs", base: "bin", index: "/logs/bin.index" },
  }).find(({ role }) => role === "binaryLog");
  assert.ok(logs !== undefined);
  const names = ["bin.000001", "bin.index", "bin.000001.gz", "xbin.000001", "syslog", "bin.1"];
  assert.deepEqual(names.filter((name) => belongs(logs, name)), ["bin.000001", "bin.index"]);
  const [all] = placesOf(plain);
  assert.ok(all !== undefined);
  assert.equal(belongs(all, "shop"), true);
  assert.equal(belongs(all, ".xenon-old-3"), false);
  assert.equal(belongs(all, "lost+found"), false);
});

Deno.test("pathProblem() refuses every path that could be somebody else's", () => {
  for (
    const path of ["/", "/var", "var/lib/mysql", "/var/../etc/x", "/usr/lib/mysql", "/a//b", ""]
  ) {
    assert.notEqual(pathProblem(path), null, path);
  }
  for (const path of [data, "/srv/mysql/data", "/tmp/xenon-1/mysql1/data"]) {
    assert.equal(pathProblem(path), null, path);
  }
});

Deno.test("contentProblem() takes a server's folder and an empty one, and nothing else", () => {
  assert.equal(contentProblem(data, []), null);
  assert.equal(contentProblem(data, ["lost+found", ".xenon-old-1"]), null);
  assert.equal(contentProblem(data, ["ibdata1", "shop"]), null);
  assert.equal(contentProblem(data, ["#clone", "#ib_16384_0.dblwr"]), null, "a half made copy");
  assert.match(contentProblem("/home/ann", ["letters", "photos"]) ?? "", /none of a MySQL server/);
});
