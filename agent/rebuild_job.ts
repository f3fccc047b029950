/** The kind of job "rebuild": decodes what was asked for and runs it over the ports of this node. */
import * as v from "valibot";
import { rebuild, type RebuildOptions } from "../backup/rebuild.ts";
import type { RebuildWish } from "../backup/rebuild_checks.ts";
import type { Json } from "./durable.ts";
import { parseEndpoint } from "./endpoint.ts";
import type { JobKind } from "./jobs.ts";
import { RpcError } from "./wire_rpc.ts";

const wishSchema = v.object({
  from: v.nullable(
    v.pipe(v.string(), v.check((from) => parseEndpoint(from) !== null, "HOST:PORT of an agent")),
  ),
  method: v.optional(v.picklist(["auto", "clone", "xtrabackup"]), "auto"),
  force: v.optional(v.boolean(), false),
  dryRun: v.optional(v.boolean(), false),
  automatic: v.optional(v.boolean(), false),
});

/** The kind over the ports, which are made when a job begins. */
export function rebuildKind(options: () => RebuildOptions): JobKind {
  return {
    accept: (wish) => decodeWish(wish) as unknown as Json,
    run: (task) => rebuild(options(), task, decodeWish(task.wish)),
  };
}

function decodeWish(wish: unknown): RebuildWish {
  const result = v.safeParse(wishSchema, wish);
  if (result.success) return result.output;
  throw new RpcError("invalidParams", `Cannot rebuild so: ${v.summarize(result.issues)}`);
}
