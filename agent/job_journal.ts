/**
 * The journal of the agent's jobs: one small file a job in the state folder, written before and after
 * each step, so that an agent that was killed knows what it had begun.
 */
import * as v from "valibot";
import { decodeState, encodeState, type Json } from "./durable.ts";
import type { Files } from "./ports.ts";
import { jobLinesMax, jobStates } from "./wire_jobs.ts";

/** Files of a folder that can be listed and removed. */
export interface JobFiles extends Files {
  list(call: string, folder: string): Promise<readonly string[]>;
  /** Removing what is not there is no error. */
  remove(call: string, path: string): Promise<void>;
}

const recordSchema = v.object({
  number: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  kind: v.string(),
  /** What was asked for; only the kind can read it. */
  wish: v.unknown(),
  state: v.picklist(jobStates),
  step: v.string(),
  word: v.string(),
  /** What the job needs to know after a restart of the agent; null before its first step. */
  memo: v.unknown(),
  /** Why the server is left to this job; null while the agent looks after it as usual. */
  apart: v.nullable(v.string()),
  startedAt: v.string(),
  endedAt: v.nullable(v.string()),
  sentence: v.string(),
  linesDropped: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  lines: v.pipe(v.array(v.string()), v.maxLength(jobLinesMax)),
});

/** One job as it is remembered. `wish` and `memo` are JSON. */
export type JobRecord = Readonly<v.InferOutput<typeof recordSchema>>;

/** Reads and writes the records of one node. */
export class JobJournal {
  readonly #files: JobFiles;
  readonly #folder: string;

  constructor(files: JobFiles, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  /** All records, oldest first. One that cannot be read stops the agent: it may name moved data. */
  async read(): Promise<readonly JobRecord[]> {
    const names = await this.#files.list("listJobs", this.#folder);
    const records: JobRecord[] = [];
    for (const name of names.filter((one) => /^job-\d+\.json$/.test(one))) {
      const path = `${this.#folder}/${name}`;
      const decoded = decodeState(await this.#files.read("readJob", path));
      if (decoded.kind === "missing") continue;
      if (decoded.kind !== "intact") throw unreadable(path, decoded.because);
      const result = v.safeParse(recordSchema, decoded.payload);
      if (!result.success) throw unreadable(path, v.summarize(result.issues));
      records.push(result.output);
    }
    return records.sort((left, right) => left.number - right.number);
  }

  /** On disk when it returns. */
  write(record: JobRecord): Promise<void> {
    const text = encodeState(record as unknown as Json);
    return this.#files.writeDurably("writeJob", this.#path(record.number), text);
  }

  forget(number: number): Promise<void> {
    return this.#files.remove("forgetJob", this.#path(number));
  }

  #path(number: number): string {
    return `${this.#folder}/job-${number}.json`;
  }
}

function unreadable(path: string, because: string): Error {
  return new Error(
    `Cannot use the journal "${path}" of a job: ${because}. It may name data that was moved ` +
      "aside, so it is never thrown away by itself. Restore it, or look for folders named " +
      '".xenon-*" beside the data folder, put things right by hand and remove the file',
  );
}
