/** What a rebuild remembers from step to step, in the journal of its job. */
import * as v from "valibot";
import { copyMethodNames } from "./copy_method.ts";

/**
 * How far it is. The old data is untouched up to "stopping", aside and whole from "copying" on, and the
 * new data is all in place from "starting" on. From "following" on the new server may have
 * acknowledged transactions, and there is no way back to the old data. In "undoing" what came from the
 * copy is being taken out, so nothing goes on from there but the way back.
 */
export const phases = [
  "checking",
  "stopping",
  "movingAside",
  "copying",
  "placing",
  "starting",
  "following",
  "undoing",
] as const;

export type Phase = typeof phases[number];

const ownerSchema = v.object({ uid: v.number(), gid: v.number() });

/** A place of a server's files, as places.ts has it. */
export const placeSchema = v.object({
  role: v.picklist(["data", "system", "redo", "undo", "binaryLog", "relayLog"]),
  folder: v.string(),
  names: v.nullable(v.array(v.string())),
});

const memoSchema = v.object({
  phase: v.picklist(phases),
  method: v.picklist(copyMethodNames),
  donor: v.object({
    id: v.string(),
    mysql: v.object({ host: v.string(), port: v.number() }),
    version: v.string(),
    dataBytes: v.nullable(v.number()),
  }),
  /**
   * GTIDs that the leader had at the beginning (else the donor): the copy must hold them. A server skips
   * events that carry its own number, so what it wrote itself once must not come by replication.
   */
  wanted: v.string(),
  places: v.array(placeSchema),
  owner: ownerSchema,
  /** Names of the folders of this job, the same in every place. */
  aside: v.string(),
  work: v.string(),
  /** The server ran before. */
  ran: v.boolean(),
  /** The old data stays whatever the configuration says, as nobody could look into it. */
  keepOld: v.boolean(),
  /** A member waits for the leader at the end; a new host does not. */
  member: v.boolean(),
  /** Known from the method after the copy. */
  gtids: v.nullable(v.string()),
});

export type RebuildMemo = Readonly<v.InferOutput<typeof memoSchema>>;

/** Null for a job that had not begun. */
export function decodeMemo(value: unknown): RebuildMemo | null {
  return value === null ? null : v.parse(memoSchema, value);
}
