/**
 * Cancels of a rebuild, one for each stretch of its steps that something real can hold still, so that
 * the cancel strikes there and nowhere else. S8 and S10 are a few renames, over before anybody could
 * look: backup/rebuild_test.ts cancels at every step.
 */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import type { LabNode } from "../../cmd/demo/lab_node.ts";
import { tableName } from "../../cmd/demo/workload.ts";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { leftovers, patienceMs, type RebuildLab, uuidOf } from "./rebuild_lab.ts";

const statementMs = 30_000;

interface Cast {
  readonly leader: LabNode;
  readonly joiner: LabNode;
  readonly other: LabNode;
}

interface Cancel {
  /** Holds something still before the job begins; disposing of it lets go. */
  readonly hold: (cast: Cast) => Promise<AsyncDisposable>;
  /** Waits until the job is where it is to be canceled. */
  readonly reach: (ward: RebuildLab, cast: Cast, job: number) => Promise<void>;
  /** The call behind `xenon jobs cancel`, where nothing else is said: a program takes long to start. */
  readonly by?: (ward: RebuildLab, joiner: LabNode) => Promise<void>;
  readonly becomes: "asBefore" | "rebuilt";
}

const nothing = () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() });

/** In this order: the first one has the account for clones made, which a held donor could not get. */
export const cancels: Readonly<Record<string, Cancel>> = {
  "during the copy (S9)": {
    hold: nothing,
    reach: async (ward, { joiner }, job) => {
      await ward.holdCopy(joiner, job);
      await ward.reached(joiner, "S9");
      assert.equal((await joiner.status())?.role, "LEARNER");
      assert.equal((await joiner.status())?.backup.state, "BACKUPING");
    },
    by: cancelByCommand,
    becomes: "asBefore",
  },
  "while it checks (S1 to S3), as the donor's agent does not answer": {
    hold: ({ other }) =>
      Promise.resolve({
        [Symbol.asyncDispose]: () => Promise.resolve(other.signalAgent("SIGCONT")),
      }),
    reach: async (ward, { joiner, other }, job) => {
      await ward.said(joiner, job, /^S2 /);
      other.signalAgent("SIGSTOP");
    },
    becomes: "asBefore",
  },
  "while the server stops (S4 to S6)": {
    hold: lockTable,
    reach: (ward, { joiner }) => ward.reached(joiner, "S4"),
    becomes: "asBefore",
  },
  "while the donor catches up (S7), which a locked table keeps it from": {
    hold: lockTable,
    reach: (ward, { joiner }, job) => ward.said(joiner, job, /^S6 /),
    becomes: "asBefore",
  },
  "while the new server starts (S11 to S15), which is frozen": {
    hold: nothing,
    reach: async (ward, { joiner }) => {
      await ward.reached(joiner, "S11");
      const started = await poll(patienceMs, () => joiner.serverProcess());
      assert.ok(started, "the new server is started");
      await joiner.signalServer("SIGSTOP");
    },
    becomes: "asBefore",
  },
  "when the server is given back (S16 to S18), and the leader lets nobody replicate": {
    hold: lockReplicas,
    reach: (ward, { joiner }) => ward.reached(joiner, "S16"),
    becomes: "rebuilt",
  },
};

/** One cancel; the cluster is well afterwards and nothing is left behind. */
export async function cancelOnce(ward: RebuildLab, cancel: Cancel): Promise<void> {
  const cast = await ward.cast();
  const { joiner, other } = cast;
  const before = await uuidOf(joiner);
  let job = 0;
  {
    await using held = await cancel.hold(cast);
    void held;
    job = await ward.begin(joiner, { from: other.id });
    await cancel.reach(ward, cast, job);
    await (cancel.by ?? cancelByCall)(ward, joiner);
  }
  const { job: { state, sentence } } = await ward.ended(joiner, job);
  assert.equal(state, "canceled", sentence);
  await ward.whole();
  if (cancel.becomes === "asBefore") {
    assert.equal(await uuidOf(joiner), before);
    assert.deepEqual(leftovers(joiner), []);
  } else {
    assert.match(sentence, /the new server runs .* it stays; the old data is kept in /);
    assert.notEqual(await uuidOf(joiner), before);
    assert.deepEqual(leftovers(joiner), [`.xenon-old-${job}`]);
    Deno.removeSync(`${joiner.sandbox.dataFolder}/.xenon-old-${job}`, { recursive: true });
  }
}

async function cancelByCommand({ lab }: RebuildLab, joiner: LabNode): Promise<void> {
  const result = await lab.xenon(joiner, ["jobs", "cancel"]);
  assert.ok(succeeded(result), describeResult(result));
}

async function cancelByCall(ward: RebuildLab, joiner: LabNode): Promise<void> {
  await ward.call(joiner, "jobs.cancel", { number: null });
}

/** The donor receives and acknowledges, and cannot apply. */
async function lockTable({ other }: Cast): Promise<AsyncDisposable> {
  const connection = await other.root(statementMs);
  await connection.query(`LOCK TABLES ${tableName} READ`, { deadlineMs: statementMs });
  return connection;
}

/** Replicas that are connected stay so; a new one cannot connect. */
export async function lockReplicas({ leader }: Cast): Promise<AsyncDisposable> {
  const turn = async (word: "LOCK" | "UNLOCK") => {
    await using connection = await leader.root(statementMs);
    const sql = "SELECT CONCAT(QUOTE(User), '@', QUOTE(Host)) AS account FROM mysql.user " +
      "WHERE Repl_slave_priv = 'Y' AND User <> 'root'";
    for (const { account } of await connection.query(sql, { deadlineMs: statementMs })) {
      const change = `ALTER USER ${account} ACCOUNT ${word}`;
      await connection.query(change, { deadlineMs: statementMs });
    }
  };
  await turn("LOCK");
  return { [Symbol.asyncDispose]: () => turn("UNLOCK") };
}
