/** The secrets of a cluster on hosts, and every place where one of them could have been told. */
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

/** Passwords of root, of replicas, of the copies and of the writers, and what signs the calls. */
export function secretsOf({ folder, account }: HostsLab): readonly string[] {
  const [root = "", replication = "", rpc = ""] = ["root", "replication", "rpc"]
    .map((name) => Deno.readTextFileSync(`${folder}/${name}.secret`).trim());
  const copies = cloneAccount(new Secret(rpc)).password;
  const secrets = [root, replication, rpc, copies, account.password];
  if (secrets.includes("")) throw new Error("A secret of the laboratory is empty");
  return secrets;
}

/** The logs of all agents, which have each line and error of their jobs, and what commands print. */
export async function tellingOf({ nodes }: HostsLab): Promise<readonly string[]> {
  const logs = nodes.flatMap(({ logPath }) => Deno.readTextFileSync(logPath).split("\n"));
  const results = await Promise.all(
    nodes.flatMap((node) => questions.map((words) => node.xenon(words, commandMs))),
  );
  return [...logs, ...results.flatMap(({ stdoutTail, stderrTail }) => [stdoutTail, stderrTail])];
}
