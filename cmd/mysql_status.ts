/** What `mysql status` shows of the server of this host. */
import type { OutputForm } from "./options.ts";
import { type Outcome, success } from "./exit.ts";
import { askLocal } from "./gather.ts";
import type { Cluster } from "./ports.ts";
import { mysqlStatusJson } from "./render.ts";
import { mysqlStatusOf } from "./rows.ts";
import { renderTable } from "./table.ts";

/** `mysql status`: replication and server of this host, with the original's keys. */
export async function mysqlStatus(
  cluster: Cluster,
  request: { readonly form: OutputForm; readonly deadlineMs: number },
): Promise<Outcome> {
  const json = mysqlStatusJson(mysqlStatusOf(await askLocal(cluster, request.deadlineMs)));
  if (request.form === "json") return success(`${JSON.stringify(json)}\n`);
  const rows = Object.entries(json).map(([key, value]) => [key, String(value)]);
  return success(renderTable(["Fact", "Value"], rows));
}
