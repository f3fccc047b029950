/** What the watch over a real server makes of a binary log that is held for long, for a good reason. */
import assert from "node:assert/strict";
import type { Database } from "../../agent/ports.ts";
import { createClock } from "../../agent/real/clock.ts";
import { Watch } from "../../agent/watch.ts";
import { poll } from "../../cmd/demo/lab.ts";
import type { ServerView } from "../../raft/types.ts";
import type { Connection } from "../../mysql/client.ts";
import type { ServerFacts } from "../../mysql/facts.ts";
import { look } from "../../mysql/server.ts";
import { pause } from "../../mysql/time_left.ts";
import { DatabaseNode } from "./database_node.ts";
import { LabServer } from "./lab.ts";

const slow = { deadlineMs: 120_000 } as const;
const hungMs = 500;
const heldMs = 4_000;
const rows = 8;
const rowMegabytes = 32;

Deno.test("a server whose binary log is held for long is not hung for that alone", async (test) => {
  await using node = new DatabaseNode(await LabServer.start());
  await node.database.prepare();
  await using client = await node.client();
  await run(client, [
    "SET GLOBAL super_read_only = OFF",
    "SET GLOBAL read_only = OFF",
    // A common tuning: then the server counts no writes.
    "UPDATE performance_schema.setup_instruments SET ENABLED = 'NO' WHERE NAME LIKE 'wait/%'",
    "CREATE DATABASE large",
    "CREATE TABLE large.t (a INT PRIMARY KEY, b LONGBLOB)",
  ]);

  await test.step("the commit of a large transaction, without performance_schema's counters", async () => {
    await run(client, ["BEGIN"]);
    for (let row = 0; row < rows; row++) {
      const sql = `INSERT INTO large.t VALUES (${row}, REPEAT('x', ${rowMegabytes} << 20))`;
      await client.query(sql, slow);
    }
    using seen = new Seen(node);
    await client.query("COMMIT", slow);
    await pause(hungMs);
    assert.deepEqual(seen.odd, []);
  });

  await test.step("a rotation behind a commit that waits for its acknowledgement", async () => {
    await run(client, [
      "SET GLOBAL rpl_semi_sync_source_timeout = 4294967295",
      "SET GLOBAL rpl_semi_sync_source_enabled = ON",
    ]);
    using seen = new Seen(node);
    const waiting = client.query("INSERT INTO large.t VALUES (-1, '')", slow);
    await node.until("it waits", ({ semiSyncSource }) => semiSyncSource.waitSessions === 1);
    await using other = await node.client();
    const rotating = other.query("FLUSH BINARY LOGS", slow);
    await pause(heldMs);
    const { lateMs, last } = seen;
    await using third = await node.client();
    await run(third, ["SET GLOBAL rpl_semi_sync_source_enabled = OFF"]);
    await Promise.all([waiting, rotating]);
    const free = await poll(slow.deadlineMs, () => {
      return Promise.resolve(seen.last?.health === "alive" && seen.last.logEnd !== null || null);
    });
    assert.ok(free, "it says where its log ends, once nothing holds it");
    assert.deepEqual(seen.odd, []);
    assert.ok(lateMs > heldMs / 2, `the log was held for ${lateMs} ms only`);
    assert.equal(last?.health, "blocked");
  });
});

async function run(client: Connection, statements: readonly string[]): Promise<void> {
  for (const sql of statements) await client.query(sql, slow);
}

/** A watch over the server, and what it said. */
class Seen implements Disposable {
  /** What it said of a server that it counts as hung for its log; a slow machine is another matter. */
  readonly odd: string[] = [];
  last: ServerView | null = null;
  /** For how long it got no end of the binary log. */
  lateMs = 0;
  readonly #watch: Watch;
  #at = performance.now();

  constructor(node: DatabaseNode) {
    const { server } = node.lab.sandbox;
    this.#watch = new Watch({
      lookEveryMs: 50,
      hungMs,
      neverLeads: null,
      clock: createClock(),
      database: { look: (ms) => node.database.look(ms) } as Partial<Database> as Database,
      server: {
        identify: () => server.identify(),
        glance: look,
        start: () => Promise.resolve(),
        kill: () => {},
        terminate: () => Promise.resolve(),
        whyItDied: () => server.whyItDied(),
        emptyDataFolder: () => Promise.resolve(null),
        fullDataFolder: () => Promise.resolve(null),
      },
      log: { write: () => {} },
      monitor: () => false,
      unwanted: () => null,
      apart: () => null,
      errant: { get: () => "", set: () => {} },
      following: () => false,
      leaderEnd: () => null,
      takesConnections: () => Promise.resolve(true),
      report: (view, facts) => this.#hear(view, facts),
    });
    this.#watch.start();
  }

  #hear(view: ServerView, facts: ServerFacts | null): void {
    const now = performance.now();
    if (facts === null && view.unfit?.includes("binary log")) this.odd.push(view.unfit);
    if (facts !== null && facts.binlogEnd === null) this.lateMs += now - this.#at;
    this.#at = now;
    this.last = view;
  }

  [Symbol.dispose](): void {
    this.#watch.stop();
  }
}
