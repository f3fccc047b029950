/** The secrets of a cluster on hosts, and every place where one of them could have been told. */
import assert from "node:assert/strict";
import { cloneAccount } from "../../agent/copy_calls.ts";
import { Secret } from "../../agent/secret.ts";
import type { HostsLab } from "./hosts_lab.ts";

const commandMs = 60_000;
/** What an operator asks after copies. */
const questions = [
  ["cluster", "log"],
  ["cluster", "status", "-o", "json"],
  ["jobs", "list", "-o", "json"],
  ["mysql", "status"],
];

/** No secret is in these texts, nor in any log or answer of the agents. */
export async function assertNothingTold(lab: HostsLab, seen: readonly string[]): Promise<void> {
  const told = [...seen, ...await tellingOf(lab)];
  for (const secret of secretsOf(lab)) {
    assert.deepEqual(told.filter((text) => text.includes(secret)), []);
  }
}

/** Passwords of root, of replicas, of the copies and of the writers, and what signs the calls. */
function secretsOf({ folder, account }: HostsLab): readonly string[] {
  const [root = "", replication = "", rpc = ""] = ["root", "replication", "rpc"]
    .map((name) => Deno.readTextFileSync(`${folder}/${name}.secret`).trim());
  const copies = cloneAccount(new Secret(rpc)).password;
  const secrets = [root, replication, rpc, copies, account.password];
  if (secrets.includes("")) throw new Error("A secret of the laboratory is empty");
  return secrets;
}

/** The logs of all agents, which have each line and error of their jobs, and what commands print. */
async function tellingOf({ nodes }: HostsLab): Promise<readonly string[]> {
  const logs = nodes.flatMap(({ logPath }) => Deno.readTextFileSync(logPath).split("\n"));
  const results = await Promise.all(
    nodes.flatMap((node) => questions.map((words) => node.xenon(words, commandMs))),
  );
  return [...logs, ...results.flatMap(({ stdoutTail, stderrTail }) => [stdoutTail, stderrTail])];
}
