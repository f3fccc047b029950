/** What `mysql status` shows of the server of this host. */
import type { Facts } from "./facts.ts";
import { askLocal } from "./gather.ts";
import { mysqlStatusJson } from "./node_json.ts";
import type { Cluster } from "./ports.ts";

/** `mysql status`: replication and server of this host, with the original's keys. */
export async function mysqlStatus(cluster: Cluster, deadlineMs: number): Promise<Facts> {
  const value = mysqlStatusJson(await askLocal(cluster, deadlineMs));
  const rows = Object.entries(value).map(([key, fact]) => [key, String(fact)]);
  return { table: { header: ["Fact", "Value"], rows }, value };
}
