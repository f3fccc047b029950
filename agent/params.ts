/** Reads the params of a call by the schema of its method. */
import * as v from "valibot";
import { RpcError } from "./wire_rpc.ts";

/** Throws a refusal that names what is wrong. */
export function decodeParams<Schema extends v.GenericSchema>(
  schema: Schema,
  params: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, params);
  if (result.success) return result.output;
  throw new RpcError("invalidParams", `Cannot read the call: ${v.summarize(result.issues)}`);
}
