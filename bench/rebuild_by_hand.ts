/**
 * What an operator types without us: CLONE INSTANCE on an empty server that runs already, and the start
 * that the server leaves to its supervisor. From the statement to the first answer of the new server.
 */
import type { Lab } from "../cmd/demo/lab.ts";
import type { LabNode } from "../cmd/demo/lab_node.ts";
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

const root = new URL("../", import.meta.url).pathname;
const startMs = 120_000;
const cloneMs = 3_600_000;
const statementMs = 10_000;
const goneMs = 60_000;

export interface ByHand {
  /** From the statement to the first answer of the new server. */
  readonly seconds: number;
  /** Of CLONE alone. */
  readonly copySeconds: number;
}

/** Copies the donor into a server of its own, which is there already and is thrown away afterwards. */
export async function byHand(lab: Lab, donor: LabNode): Promise<ByHand> {
  const [port = 0] = findFreePorts(1);
  const receiver = await createSandbox({
    mysqld: donor.sandbox.mysqld,
    folder: `${lab.folder}/by-hand-${crypto.randomUUID()}`,
    cacheFolder: `${root}.cache/sandbox`,
    serverId: 99,
    port,
  });
  try {
    await startSandbox(receiver, { deadlineMs: startMs });
    return await cloneInto(receiver, donor);
  } finally {
    await removeSandbox(receiver);
  }
}

async function cloneInto(receiver: Sandbox, donor: LabNode): Promise<ByHand> {
  await openForWrites(receiver);
  const [host = "", port = ""] = donor.mysql.split(":");
  await using connection = await connectAsRoot(receiver, statementMs);
  const run = (sql: string, deadlineMs = statementMs) => connection.query(sql, { deadlineMs });
  await run(`SET GLOBAL clone_valid_donor_list = '${donor.mysql}'`);
  const process = await receiver.server.identify();
  const startedAt = performance.now();
  const { rootPassword } = donor.sandbox;
  try {
    await run(
      `CLONE INSTANCE FROM root@'${host}':${port} IDENTIFIED BY '${rootPassword}'`,
      cloneMs,
    );
  } catch (error) {
    // Without a supervisor it ends itself (3707), and its connection with it.
    if (!(error instanceof DatabaseError) || !(error.errno === 3707 || error.kind === "lost")) {
      throw error;
    }
  }
  const copySeconds = (performance.now() - startedAt) / 1_000;
  if (process !== null) await receiver.server.waitGone(process, goneMs);
  await startSandbox({ ...receiver, rootPassword }, { deadlineMs: startMs });
  return { seconds: (performance.now() - startedAt) / 1_000, copySeconds };
}
