/** What `mysql status` shows of the server of this host. */
import type { Facts } from "./facts.ts";
import { askLocal } from "./gather.ts";
import { mysqlStatusJson } from "./node_json.ts";
import type { Cluster } from "./ports.ts";

/** `mysql status`: replication and server of this host, with the original's keys and the node's sentence. */
export async function mysqlStatus(cluster: Cluster, deadlineMs: number): Promise<Facts> {
  const status = await askLocal(cluster, deadlineMs);
  const exact = mysqlStatusJson(status);
  const value = { ...exact, sentence: status.sentence };
  const rows = Object.entries(value).map(([key, fact]) => [key, String(fact)]);
  return { table: { header: ["Fact", "Value"], rows }, value, exact };
}
