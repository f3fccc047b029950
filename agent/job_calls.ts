/** The methods by which commands begin, watch and cancel the jobs of an agent. */
import * as v from "valibot";
import type { Jobs } from "./jobs.ts";
import { decodeParams } from "./params.ts";
import { RpcError, type RpcMethods } from "./wire_rpc.ts";
import { messageOf } from "../mysql/message_of.ts";

const kindLengthMax = 32;
const number = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const submitSchema = v.object({
  kind: v.pipe(v.string(), v.maxLength(kindLengthMax)),
  wish: v.optional(v.unknown(), {}),
});
const readSchema = v.object({
  /** Null means the newest. */
  number: v.nullable(number),
  from: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
const cancelSchema = v.object({ number: v.nullable(number) });

/** `jobs.submit`, `jobs.list`, `jobs.read` and `jobs.cancel`. */
export function jobMethods(jobs: Jobs): RpcMethods {
  return {
    "jobs.submit": async (params) => {
      const { kind, wish } = decodeParams(submitSchema, params);
      try {
        return { number: await jobs.submit(kind, wish) };
      } catch (error) {
        throw refused(error);
      }
    },
    "jobs.list": () => Promise.resolve({ jobs: jobs.list() }),
    "jobs.read": (params) =>
      answer(() => {
        const { number, from } = decodeParams(readSchema, params);
        return jobs.read(number, from);
      }),
    "jobs.cancel": (params) =>
      answer(() => ({
        number: jobs.cancel(decodeParams(cancelSchema, params).number),
      })),
  };
}

function answer(work: () => unknown): Promise<unknown> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(refused(error));
  }
}

/** What a job says against itself is meant for the operator. */
function refused(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const because = messageOf(error);
  return new RpcError("refused", because, { cause: error });
}
