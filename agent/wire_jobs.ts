/** What an agent tells about its jobs, and the decoders for it. A command sees these records only. */
import * as v from "valibot";

/** How a job stands. `canceled` is what an operator asked for; `failed` names its reason. */
export const jobStates = ["running", "done", "failed", "canceled"] as const;

export type JobState = typeof jobStates[number];

/** Lines of one job that are kept; the oldest go first. */
export const jobLinesMax = 500;
/** Longest line, in characters. */
export const jobLineLengthMax = 2_000;
/** Jobs that are remembered after their end. */
export const jobsKeptMax = 20;

const text = v.pipe(v.string(), v.maxLength(jobLineLengthMax + 10));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));

/** Where a running job stands; null for what nobody knows yet. */
const jobProgressSchema = v.object({
  bytesDone: amount,
  bytesTotal: v.nullable(amount),
  bytesPerSecond: amount,
  etaSeconds: v.nullable(amount),
});

const jobSummarySchema = v.object({
  /** Numbered from 1 on this node. */
  number: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** What it does: "rebuild", "backup", "restore". */
  kind: text,
  state: v.picklist(jobStates),
  /** What it does now, such as "S9"; empty before its first step. */
  step: text,
  /** The original's word for the column Backup: NONE, BACKUPING, APPLYLOGGING or CANCELED. */
  word: text,
  /** Local time in ISO form. */
  startedAt: text,
  endedAt: v.nullable(text),
  /** Its last sentence, or why it failed. */
  sentence: text,
  progress: v.nullable(jobProgressSchema),
});

export type JobProgress = Readonly<v.InferOutput<typeof jobProgressSchema>>;
export type JobSummary = Readonly<v.InferOutput<typeof jobSummarySchema>>;

const jobListSchema = v.object({ jobs: v.pipe(v.array(jobSummarySchema), v.maxLength(100)) });

const jobPageSchema = v.object({
  job: jobSummarySchema,
  /** Number of the first line in `lines`, counted from 0 over the whole job. */
  from: count,
  lines: v.pipe(v.array(text), v.maxLength(jobLinesMax)),
});

/** Some lines of a job. Lines that are no longer kept are left out: see `from`. */
export type JobPage = Readonly<v.InferOutput<typeof jobPageSchema>>;

/** The answer to `jobs.list`, newest first; throws a sentence when it is none. */
export function decodeJobList(value: unknown): readonly JobSummary[] {
  return decode(jobListSchema, value).jobs;
}

/** The answer to `jobs.read`. */
export function decodeJobPage(value: unknown): JobPage {
  return decode(jobPageSchema, value);
}

/** The answer to `jobs.submit` and `jobs.cancel`. */
export function decodeJobNumber(value: unknown): number {
  return decode(v.object({ number: count }), value).number;
}

function decode<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new Error(`Cannot read what the agent says of its jobs: ${v.summarize(result.issues)}`);
}
