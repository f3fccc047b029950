import assert from "node:assert/strict";
import {
  isEnding,
  isReleased,
  isServerCommandLine,
  livenessOf,
  mayBecomeServer,
  parseProcessStat,
  type ProcessStat,
} from "./process_stat.ts";

const line = statLine({});

interface StatChange {
  readonly name?: string;
  readonly state?: string;
  readonly flags?: number;
  readonly threads?: number;
  readonly signals?: number;
}

function statLine(change: StatChange) {
  const { name = "mysqld", state = "S", flags = 4194304, threads = 31, signals = 0 } = change;
  return `4512 (${name}) ${state} 4468 4468 2160 0 -1 ${flags} 124867 307 0 0 35 103 0 0 20 0` +
    ` ${threads} 0 81227 1010577408 136437 18446744073709551615 1 1 0 0 0 ${signals} 0\n`;
}

function statOf(change: StatChange): ProcessStat {
  const stat = parseProcessStat(statLine(change));
  assert.ok(stat !== undefined);
  return stat;
}

Deno.test("parseProcessStat() reads id, state, flags, threads and start time", () => {
  assert.deepEqual(parseProcessStat(line), {
    pid: 4512,
    state: "S",
    flags: 4194304,
    threads: 31,
    startTime: "81227",
    killed: false,
  });
});

Deno.test("parseProcessStat() is not fooled by a name with spaces and parentheses", () => {
  const stat = parseProcessStat(statLine({ name: "a) Z 1 (b c" }));
  assert.equal(stat?.state, "S");
  assert.equal(stat?.startTime, "81227");
});

Deno.test("parseProcessStat() gives undefined for anything else", () => {
  for (const text of ["", "4512", "4512 (mysqld", "4512 (mysqld) S 1 2", "x (y) S 1 2 3 4 5 z"]) {
    assert.equal(parseProcessStat(text), undefined, text);
  }
});

Deno.test("livenessOf() names each state of a process", () => {
  const of = (state: string) => livenessOf(parseProcessStat(statLine({ state })), "81227");
  assert.deepEqual(
    ["R", "S", "I", "D", "T", "t", "Z", "X"].map(of),
    [
      "running",
      "running",
      "running",
      "uninterruptible",
      "stopped",
      "stopped",
      "dead",
      "dead",
    ],
  );
});

Deno.test("livenessOf() calls an exiting process dead while its state still says running", () => {
  assert.equal(livenessOf(parseProcessStat(statLine({ flags: 4194304 | 0x4 })), "81227"), "dead");
});

Deno.test("livenessOf() calls a process with another start time dead", () => {
  assert.equal(livenessOf(parseProcessStat(line), "81228"), "dead");
  assert.equal(livenessOf(undefined, "81227"), "dead");
});

Deno.test("isEnding() sees a SIGKILL that has yet to take effect, and no other signal", () => {
  const of = (change: StatChange) => isEnding(statOf(change));
  assert.equal(of({}), false);
  assert.equal(of({ signals: 256 }), true);
  assert.equal(of({ signals: 16384 | 256 }), true);
  assert.equal(of({ signals: 16384 }), false);
  assert.equal(of({ state: "Z" }), true);
});

Deno.test("mayBecomeServer() is false for kernel threads and for what ends", () => {
  const of = (change: StatChange) => mayBecomeServer(statOf(change));
  assert.equal(of({}), true);
  assert.equal(of({ flags: 0x208040 }), false);
  assert.equal(of({ flags: 4194304 | 0x4 }), false);
  assert.equal(of({ signals: 256 }), false);
});

Deno.test("isReleased() waits for the last thread of a dead process", () => {
  const of = (threads: number, state = "Z") =>
    isReleased(parseProcessStat(statLine({ state, threads })), "81227");
  assert.equal(of(1), true);
  assert.equal(of(2), false);
  assert.equal(of(1, "S"), false);
  assert.equal(isReleased(undefined, "81227"), true);
  assert.equal(isReleased(parseProcessStat(line), "1"), true);
});

const wanted = { defaultsFile: "/etc/a.cnf", namedByPidFile: false };

Deno.test("isServerCommandLine() finds a server behind a loader or a wrapper script", () => {
  for (
    const command of [
      "/usr/sbin/mysqld --defaults-file=/etc/a.cnf",
      "/x/ld-linux.so.2 --library-path /x /x/mysqld --defaults-file=/etc/a.cnf --basedir=/x",
      "/bin/sh /x/bin/mysqld --defaults-file=/etc/a.cnf",
    ]
  ) assert.equal(isServerCommandLine(command.split(" "), wanted), true, command);
});

Deno.test("isServerCommandLine() refuses other servers, clients, and a server at other work", () => {
  for (
    const command of [
      "/usr/sbin/mysqld --defaults-file=/etc/b.cnf",
      "/usr/sbin/mysqld --defaults-file=/etc/a.cnf --initialize-insecure",
      "/usr/sbin/mysqld --defaults-file=/etc/a.cnf --verbose --help",
      "/usr/bin/mysql --defaults-file=/etc/a.cnf",
      "tail -f /var/log/mysqld",
      "/usr/sbin/mysqld",
      "",
    ]
  ) assert.equal(isServerCommandLine(command.split(" "), wanted), false, command);
});

Deno.test("isServerCommandLine() trusts a pid file about a server without an option file", () => {
  const named = { ...wanted, namedByPidFile: true };
  assert.equal(isServerCommandLine(["/usr/sbin/mysqld"], named), true);
  assert.equal(isServerCommandLine(["mysqld", "--defaults-file=/etc/b.cnf"], named), false);
  assert.equal(isServerCommandLine(["/usr/bin/vim"], named), false);
});
