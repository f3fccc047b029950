/**
 * What an operator types without us: CLONE INSTANCE on an empty server that runs already, the start
 * that the server leaves to its supervisor, and the statements that make it replicate. It counts from
 * CLONE until the new server replicates and has everything that the leader had when it was typed.
 *
 * The receiver's own data is gone with the first byte, so this is less than a rebuild does.
 */
import type { LabNode } from "../cmd/demo/lab_node.ts";
import type { Connection } from "../mysql/client.ts";
import { DatabaseError } from "../mysql/client_error.ts";
import {
  connectAsRoot,
  createSandbox,
  findFreePorts,
  openForWrites,
  removeSandbox,
  type Sandbox,
  startSandbox,
} from "../mysql/sandbox.ts";
import type { Timed } from "./copy_bench.ts";
import { executedOver, followByHand } from "./follow_by_hand.ts";

const root = new URL("../", import.meta.url).pathname;
const startMs = 120_000;
const cloneMs = 3_600_000;
const statementMs = 10_000;
const goneMs = 60_000;

export interface Hands {
  /** Where the receiver's files go, for as long as it lasts. */
  readonly folder: string;
  readonly donor: LabNode;
  readonly leader: LabNode;
}

/** Copies the donor into a server of its own, which is there already and is thrown away afterwards. */
export async function byHand(hands: Hands): Promise<Timed> {
  const [port = 0] = findFreePorts(1);
  const receiver = await createSandbox({
    mysqld: hands.donor.sandbox.mysqld,
    folder: `${hands.folder}/by-hand-${crypto.randomUUID()}`,
    cacheFolder: `${root}.cache/sandbox`,
    serverId: 99,
    port,
  });
  try {
    await startSandbox(receiver, { deadlineMs: startMs });
    return await cloneInto(receiver, hands);
  } finally {
    await removeSandbox(receiver);
  }
}

async function cloneInto(receiver: Sandbox, { donor, leader }: Hands): Promise<Timed> {
  await openForWrites(receiver);
  const { rootPassword } = donor.sandbox;
  const { server } = receiver;
  const process = await server.identify();
  const startedAt = performance.now();
  const wanted = await executedOver(leader.root(statementMs));
  {
    await using connection = await connectAsRoot(receiver, statementMs);
    await clone(connection, donor);
  }
  const copySeconds = (performance.now() - startedAt) / 1_000;
  if (process !== null) await server.waitGone(process, goneMs);
  const copied = { ...receiver, rootPassword };
  await startSandbox(copied, { deadlineMs: startMs });
  await followByHand(copied, { source: leader.mysql, wanted, purged: null });
  return { seconds: (performance.now() - startedAt) / 1_000, copySeconds };
}

async function clone(receiver: Connection, donor: LabNode): Promise<void> {
  const [host = "", port = ""] = donor.mysql.split(":");
  const donors = `SET GLOBAL clone_valid_donor_list = '${donor.mysql}'`;
  await receiver.query(donors, { deadlineMs: statementMs });
  const sql = `CLONE INSTANCE FROM root@'${host}':${port} ` +
    `IDENTIFIED BY '${donor.sandbox.rootPassword}'`;
  try {
    await receiver.query(sql, { deadlineMs: cloneMs });
  } catch (error) {
    // Without a supervisor it ends itself (3707), and its connection with it.
    if (!(error instanceof DatabaseError) || !(error.errno === 3707 || error.kind === "lost")) {
      throw error;
    }
  }
}
