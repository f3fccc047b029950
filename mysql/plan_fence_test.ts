import assert from "node:assert/strict";
import {
  clientSessions,
  type ClosingSession,
  fence,
  type FenceAction,
  type FenceMemory,
  type FenceSeen,
  fenceStart,
  plannedClose,
  reopen,
  type Session,
} from "./plan_fence.ts";

const plain = { user: "app", host: "10.0.0.9:5", command: "Query", state: "", info: "" } as const;
const client: ClosingSession = { ...plain, id: 11 };
const killed: ClosingSession = { ...client, command: "Killed" };
const newcomer: ClosingSession = { ...plain, id: 99, host: "10.0.0.9:6", command: "Sleep" };
/** A session over the X Protocol after its KILL. */
const plugin: ClosingSession = { ...killed, info: "PLUGIN: INSERT INTO t VALUES (1)" };
const waiting = "Waiting for semi-sync ACK from replica";

const open: FenceSeen = {
  superReadOnly: false,
  readOnly: false,
  request: "none",
  sessions: [],
  killedIds: new Set(),
  agentConnectionIds: new Set([1, 2]),
  semiSyncSourceEnabled: true,
  owned: "",
  xaPending: 0,
};
const pending: FenceSeen = { ...open, superReadOnly: true, request: "pending" };
const completed: FenceSeen = { ...pending, readOnly: true, request: "completed" };

function kinds(actions: readonly FenceAction[]): string {
  return actions.map((action) => action.kind === "kill" ? `kill ${action.ids}` : action.kind)
    .join(", ");
}

function memory(...ids: readonly number[]): FenceMemory {
  return { olderIds: new Set(ids) };
}

const cases: readonly (readonly [string, FenceMemory, FenceSeen, string])[] = [
  [
    "an open server: request first, then kill",
    fenceStart,
    { ...open, sessions: [client] },
    "requestSuperReadOnly, kill 11",
  ],
  ["an open server without clients", fenceStart, open, "requestSuperReadOnly"],
  [
    "a request that does not read ON yet",
    fenceStart,
    { ...open, request: "pending" },
    "wait",
  ],
  [
    "semi-sync stays on while a client lives",
    fenceStart,
    { ...pending, sessions: [client] },
    "kill 11",
  ],
  [
    "a killed session that still waits in the server lets semi-sync go off",
    memory(11),
    { ...pending, sessions: [killed] },
    "semiSyncOff",
  ],
  [
    "a KILL that returned counts where the list does not show it",
    memory(11),
    { ...pending, sessions: [client], killedIds: new Set([11]) },
    "semiSyncOff",
  ],
  [
    "a reconnecting pool is thrown out but does not hold the fence up",
    memory(11),
    { ...pending, sessions: [newcomer] },
    "kill 99, semiSyncOff",
  ],
  [
    "everybody in the first closed list counts as older",
    fenceStart,
    { ...pending, sessions: [newcomer] },
    "kill 99",
  ],
  [
    "a reading that fell back to 0 starts the count again",
    memory(11),
    { ...open, request: "pending", sessions: [newcomer] },
    "kill 99",
  ],
  [
    "super_read_only pending with semi-sync off: the last commits end",
    memory(11),
    { ...pending, semiSyncSourceEnabled: false },
    "wait",
  ],
  [
    "completed, but a commit still holds a GTID",
    memory(11),
    { ...completed, semiSyncSourceEnabled: false, owned: "x:1" },
    "wait",
  ],
  [
    "super_read_only without read_only is a request that still hangs",
    memory(11),
    { ...completed, readOnly: false, semiSyncSourceEnabled: false },
    "wait",
  ],
  ["completed, semi-sync on", memory(11), completed, "semiSyncOff"],
  [
    "closed: done, newcomers are thrown out all the same",
    memory(11),
    { ...completed, semiSyncSourceEnabled: false, sessions: [newcomer] },
    "kill 99, done",
  ],
  [
    "closed long ago by somebody else: the request is sent to be sure",
    fenceStart,
    { ...completed, request: "none", semiSyncSourceEnabled: false },
    "requestSuperReadOnly",
  ],
  [
    "prepared XA transactions end in SIGKILL with semi-sync still on",
    memory(11),
    { ...pending, xaPending: 2 },
    "mustKillServer",
  ],
  [
    "a KILL leaves the client of a commit over the X Protocol listening: SIGKILL",
    memory(11),
    { ...pending, sessions: [{ ...plugin, state: waiting }] },
    "mustKillServer",
  ],
  [
    "the same behind another commit",
    memory(11),
    { ...pending, sessions: [{ ...plugin, state: "waiting for handler commit" }] },
    "mustKillServer",
  ],
  [
    "another statement over the X Protocol ends by its KILL",
    memory(11),
    { ...pending, sessions: [{ ...plugin, state: "User sleep" }] },
    "wait",
  ],
  [
    "an idle session over the X Protocol hears nothing",
    memory(11),
    { ...pending, sessions: [{ ...plugin, info: "PLUGIN" }] },
    "semiSyncOff",
  ],
  [
    "one over the X Protocol that is younger than the reading cannot write",
    memory(),
    { ...pending, sessions: [{ ...plugin, state: "User sleep" }] },
    "semiSyncOff",
  ],
];

for (const [name, remembered, seen, wanted] of cases) {
  Deno.test(`fence(): ${name}`, () => {
    assert.equal(kinds(fence(remembered, seen).actions), wanted);
  });
}

Deno.test("fence() lets no clients in while XA transactions are left on a server that was closed", () => {
  const seen = { ...completed, semiSyncSourceEnabled: false, xaPending: 1 };
  assert.deepEqual(fence(memory(), seen).actions, [{ kind: "done", admitClients: false }]);
  const clean = { ...seen, xaPending: 0 };
  assert.deepEqual(fence(memory(), clean).actions, [{ kind: "done", admitClients: true }]);
});

Deno.test("fence() keeps the first list from one look to the next", () => {
  const first = fence(fenceStart, { ...pending, sessions: [client] });
  const second = fence(first.memory, { ...pending, sessions: [killed, newcomer] });
  assert.deepEqual(second.memory.olderIds, new Set([11]));
  assert.equal(kinds(second.actions), "kill 99, semiSyncOff");
});

Deno.test("fence() never switches semi-sync off while super_read_only does not read ON", () => {
  for (const request of ["none", "pending", "completed"] as const) {
    for (const remembered of [fenceStart, memory(), memory(11)]) {
      for (const sessions of [[], [client], [killed], [newcomer]]) {
        const { actions } = fence(remembered, { ...open, request, sessions });
        assert.ok(actions.every(({ kind }) => kind !== "semiSyncOff" && kind !== "done"));
      }
    }
  }
});

Deno.test("clientSessions() spares system threads, dump threads and the agent, and nobody else", () => {
  const sessions: readonly Session[] = [
    { id: 5, user: "event_scheduler", host: "localhost", command: "Daemon" },
    { id: 6, user: "system user", host: "", command: "Query" },
    { id: 7, user: "system user", host: "connecting host", command: "Connect" },
    { id: 8, user: "repl", host: "10.0.0.3:1", command: "Binlog Dump GTID" },
    { id: 1, user: "xenon", host: "localhost", command: "Query" },
    { id: 3, user: "xenon", host: "localhost", command: "Sleep" },
    { id: 9, user: "system user", host: "10.0.0.9:7", command: "Query" },
    { id: 10, user: "unauthenticated user", host: "10.0.0.9:8", command: "Connect" },
  ];
  assert.deepEqual(clientSessions({ ...open, sessions }).map(({ id }) => id), [3, 9, 10]);
});

Deno.test("plannedClose() requests, waits for acknowledgements, and is done when nobody waits", () => {
  const answer = (seen: FenceSeen, outOfTime = false) => plannedClose(seen, outOfTime).kind;
  assert.equal(answer(open), "requestSuperReadOnly");
  assert.equal(answer({ ...pending, owned: "x:1" }), "wait");
  assert.equal(answer({ ...pending, owned: "x:1" }, true), "giveUp");
  assert.equal(answer(completed), "done");
  assert.equal(answer({ ...completed, readOnly: false }), "wait");
  assert.equal(answer(completed, true), "done");
  assert.equal(answer({ ...open, xaPending: 1 }), "giveUp");
});

Deno.test("reopen() ends the request that hangs before it opens", () => {
  assert.deepEqual(reopen(pending), { kind: "killRequest" });
  const over = { ...completed, request: "completed" } as const;
  assert.deepEqual(reopen(over), { kind: "run", sql: "SET GLOBAL super_read_only = OFF" });
  assert.deepEqual(reopen({ ...over, superReadOnly: false }), {
    kind: "run",
    sql: "SET GLOBAL read_only = OFF",
  });
  assert.deepEqual(reopen(open), { kind: "done" });
});
