/**
 * Long work of an agent, such as a rebuild: one job at a time, journalled, cancellable at every step,
 * with lines and progress that commands read. The agent does the work, so a lost terminal ends nothing.
 *
 * A job that was under way when its agent ended is run again by the next agent with what it had
 * remembered last. It then goes on or puts things back, and says which.
 */
import type { CopyProgress } from "../backup/copy_method.ts";
import type { Json } from "./durable.ts";
import type { JobJournal, JobRecord } from "./job_journal.ts";
import { advance, type Meter, shown } from "./job_meter.ts";
import type { Clock, JobView, Log } from "./ports.ts";
import {
  jobLineLengthMax,
  jobLinesMax,
  type JobPage,
  jobsKeptMax,
  type JobSummary,
} from "./wire_jobs.ts";
import { messageOf } from "../mysql/message_of.ts";

/** Why the signal of a running job was aborted; it tells a cancel from the end of the agent. */
class JobInterrupt extends Error {
  override readonly name = "JobInterrupt";
  constructor(readonly why: "canceled" | "agentEnds") {
    super(why === "canceled" ? "An operator canceled the job" : "The agent ends");
  }
}

/** What a running job sees of its surroundings. */
export interface JobTask {
  readonly number: number;
  /** What `accept` of its kind made of the submission. */
  readonly wish: Json;
  /** What was remembered last, by an earlier agent too; null at the very start. */
  readonly memo: Json;
  /** An earlier agent had begun this job. */
  readonly resumed: boolean;
  /** Aborted with a JobInterrupt. After "agentEnds" the job just stops; after "canceled" it undoes. */
  readonly signal: AbortSignal;
  /** Was the signal aborted because the agent ends? Then everything stays for the next agent. */
  agentEnds(): boolean;
  /** One line for the operator; never a secret. */
  say(line: string): void;
  progress(progress: CopyProgress): void;
  /** On disk when it returns: the step, the memo and all lines. Call it before and after a step. */
  remember(step: JobStep): Promise<void>;
}

/** Where a job is, for its journal and for the status of the node. */
export interface JobStep {
  /** Short name of the step: "S9". */
  readonly step: string;
  readonly memo: Json;
  /** The original's word for the column Backup; NONE where it is not given. */
  readonly word?: "NONE" | "BACKUPING" | "APPLYLOGGING";
  /**
   * A sentence while the server belongs to this job: the agent neither starts it nor lets the protocol
   * see it, after a restart of the agent too. Null, or not given, ends that.
   */
  readonly apart?: string | null;
}

/** One kind of job. */
export interface JobKind {
  /** Decodes what was submitted, or throws what is wrong with it; nothing is begun then. */
  readonly accept: (wish: unknown) => Json;
  /** Does it all. Resolves with the last sentence, rejects with why not. */
  readonly run: (task: JobTask) => Promise<string>;
}

export interface JobsOptions {
  readonly journal: JobJournal;
  readonly clock: Clock;
  readonly log: Log;
  /** Local time in ISO form, to show to people only. */
  readonly date: () => string;
  readonly kinds: Readonly<Record<string, JobKind>>;
}

interface Running {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** The jobs of one agent. */
export class Jobs {
  readonly #options: JobsOptions;
  #records: readonly JobRecord[];
  #running: Running | null = null;
  #meter: Meter | null = null;
  #bytesDone = 0;

  private constructor(options: JobsOptions, records: readonly JobRecord[]) {
    this.#options = options;
    this.#records = records;
  }

  /** Reads what an earlier agent left. `resume` goes on with it. */
  static async open(options: JobsOptions): Promise<Jobs> {
    return new Jobs(options, await options.journal.read());
  }

  /** The job that runs now, or the one that an earlier agent left behind; null when there is none. */
  get current(): JobSummary | null {
    const record = this.#records.findLast(({ state }) => state === "running");
    return record === undefined ? null : this.#summary(record);
  }

  /** What the jobs mean for the node. */
  get view(): JobView {
    const running = this.#records.findLast(({ state }) => state === "running");
    const ended = this.#records.findLast((one) => one.state !== "running" && !isDryRun(one));
    return {
      word: running?.word ?? "NONE",
      lastError: ended?.state === "failed" ? ended.sentence : "",
      apart: running?.apart ?? this.#stuck?.apart ?? null,
      holds: holdOf(running ?? this.#stuck),
      lastBackup: this.#lastBackup(),
    };
  }

  /** A job that failed and could not undo what it had begun: the server stays its own. */
  get #stuck(): JobRecord | undefined {
    return this.#records.findLast(({ state, apart }) => state !== "running" && apart !== null);
  }

  /** The newest backup on this host that was verified. */
  #lastBackup(): JobView["lastBackup"] {
    const record = this.#records.findLast(({ kind, state }) =>
      kind === "backup" && state === "done"
    );
    return record === undefined
      ? null
      : { endedAt: record.endedAt ?? "", sentence: record.sentence };
  }

  /**
   * Goes on with the job that an earlier agent had begun, if there is one; or with one that could not be
   * undone, as whoever restarts the agent may have removed what was in the way.
   */
  resume(): void {
    const record = this.#records.findLast(({ state }) => state === "running") ?? this.#stuck;
    if (record === undefined || this.#running !== null) return;
    const again: JobRecord = { ...record, state: "running", endedAt: null };
    this.#replace(again);
    this.#start(again, true);
  }

  /** Begins a job and returns its number once it is in the journal. */
  async submit(kind: string, wish: unknown): Promise<number> {
    const { kinds, date } = this.#options;
    const found = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (found === undefined) throw new Error(`Cannot do a job of the kind ${JSON.stringify(kind)}`);
    this.#refuseSecond();
    const accepted = found.accept(wish);
    const record: JobRecord = {
      number: (this.#records.at(-1)?.number ?? 0) + 1,
      kind,
      wish: accepted,
      state: "running",
      step: "",
      word: "NONE",
      memo: null,
      apart: null,
      startedAt: date(),
      endedAt: null,
      sentence: "",
      linesDropped: 0,
      lines: [],
    };
    this.#records = [...this.#records, record];
    try {
      await this.#options.journal.write(record);
    } catch (error) {
      this.#records = this.#records.filter(({ number }) => number !== record.number);
      throw error;
    }
    this.#start(record, false);
    return record.number;
  }

  /** Newest first. */
  list(): readonly JobSummary[] {
    return this.#records.map((record) => this.#summary(record)).reverse();
  }

  /** The lines of a job from number `from` on; of the newest job when `number` is null. */
  read(number: number | null, from: number): JobPage {
    const record = this.#find(number);
    const skipped = Math.max(0, from - record.linesDropped);
    return {
      job: this.#summary(record),
      from: record.linesDropped + Math.min(skipped, record.lines.length),
      lines: record.lines.slice(skipped),
    };
  }

  /** Asks the running job to stop and to undo what it began; it ends some time later. */
  cancel(number: number | null): number {
    const record = number === null ? this.#runningRecord() : this.#find(number);
    if (record.state !== "running") {
      throw new Error(`Cannot cancel job ${record.number} as it is ${record.state} already`);
    }
    this.#replace({ ...record, word: "CANCELED" });
    this.#running?.abort.abort(new JobInterrupt("canceled"));
    return record.number;
  }

  /** The agent ends: the job stops where it is and stays in the journal for the next agent. */
  async stop(): Promise<void> {
    this.#running?.abort.abort(new JobInterrupt("agentEnds"));
    await this.#running?.ended;
  }

  #refuseSecond(): void {
    const stuck = this.#stuck;
    if (stuck !== undefined) throw new Error(`Cannot begin another job as ${stuckAt(stuck)}`);
    const running = this.current;
    if (running === null) return;
    throw new Error(
      `Cannot begin another job as job ${running.number} (${running.kind}) runs: follow it with ` +
        `"xenon jobs follow", or end it with "xenon jobs cancel"`,
    );
  }

  #start(record: JobRecord, resumed: boolean): void {
    const abort = new AbortController();
    this.#meter = null;
    this.#bytesDone = 0;
    const ended = this.#run(record, { resumed, signal: abort.signal });
    this.#running = { abort, ended };
  }

  async #run(
    { number, kind, wish, memo }: JobRecord,
    { resumed, signal }: { readonly resumed: boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    const task: JobTask = {
      number,
      wish: wish as Json,
      memo: memo as Json,
      resumed,
      signal,
      agentEnds: () => interruptOf(signal) === "agentEnds",
      say: (line) => this.#say(number, line),
      progress: (progress) => this.#progress(progress),
      remember: async ({ step, memo, word = "NONE", apart = null }) => {
        const canceled = interruptOf(signal) === "canceled";
        // What one step has moved says nothing about the next.
        if (step !== this.#find(number).step) this.#meter = null;
        await this.#change(number, { step, memo, apart, word: canceled ? "CANCELED" : word });
      },
    };
    try {
      const run = this.#options.kinds[kind]?.run;
      if (run === undefined) throw new Error(`This program knows no job of the kind "${kind}"`);
      const sentence = await run(task);
      await this.#end(number, { state: "done", sentence, apart: null });
    } catch (error) {
      if (interruptOf(signal) === "agentEnds") return;
      const state = interruptOf(signal) === "canceled" ? "canceled" : "failed";
      // Whoever has undone everything has said so: what is still apart could not be undone.
      const { apart } = this.#find(number);
      await this.#end(number, { state, sentence: messageOf(error), apart });
    } finally {
      // Its end is known before it is written down, so the next job may have begun.
      if (this.#running?.abort.signal === signal) this.#running = null;
    }
  }

  async #end(
    number: number,
    { state, sentence, apart }: Pick<JobRecord, "state" | "sentence" | "apart">,
  ): Promise<void> {
    const { date, log } = this.#options;
    // As its last line, so no longer than one.
    this.#say(number, sentence);
    const endedAt = date();
    // Before the file is written: whoever asks now must not be told that it runs.
    const end = { state, endedAt, word: "NONE", apart };
    const written = this.#change(number, end);
    try {
      await written;
      await this.#forgetOld();
    } catch (error) {
      log.write("error", `Cannot write down the end of job ${number}: ${String(error)}`, {});
    }
  }

  async #forgetOld(): Promise<void> {
    const old = this.#records.slice(0, Math.max(0, this.#records.length - jobsKeptMax));
    this.#records = this.#records.slice(old.length);
    for (const { number } of old) await this.#options.journal.forget(number);
  }

  #say(number: number, text: string): void {
    const record = this.#find(number);
    const line = text.length <= jobLineLengthMax ? text : `${text.slice(0, jobLineLengthMax)}...`;
    const lines = [...record.lines, line];
    const dropped = Math.max(0, lines.length - jobLinesMax);
    this.#replace({
      ...record,
      sentence: line,
      lines: lines.slice(dropped),
      linesDropped: record.linesDropped + dropped,
    });
    this.#options.log.write("info", line, { job: number, kind: record.kind });
  }

  #progress(progress: CopyProgress): void {
    this.#meter = advance(this.#meter, progress, this.#options.clock.now());
    this.#bytesDone = progress.bytesDone;
  }

  #change(number: number, change: Partial<JobRecord>): Promise<void> {
    const record = { ...this.#find(number), ...change };
    this.#replace(record);
    return this.#options.journal.write(record);
  }

  #replace(record: JobRecord): void {
    this.#records = this.#records.map((one) => one.number === record.number ? record : one);
  }

  #runningRecord(): JobRecord {
    const record = this.#records.findLast(({ state }) => state === "running");
    if (record !== undefined) return record;
    throw new Error("Cannot cancel as no job runs here: see xenon jobs");
  }

  #find(number: number | null): JobRecord {
    const record = number === null
      ? this.#records.at(-1)
      : this.#records.find((one) => one.number === number);
    if (record !== undefined) return record;
    const which = number === null ? "a job" : `job ${number}`;
    throw new Error(`Cannot find ${which} on this node: xenon jobs lists those that it remembers`);
  }

  #summary(record: JobRecord): JobSummary {
    const { number, kind, state, step, word, startedAt, endedAt, sentence } = record;
    const moving = state === "running" && this.#meter !== null;
    return {
      number,
      kind,
      state,
      step,
      word,
      startedAt,
      endedAt,
      sentence,
      progress: moving && this.#meter !== null ? shown(this.#meter, this.#bytesDone) : null,
    };
  }
}

/** Such a job only looks. */
function isDryRun({ wish }: JobRecord): boolean {
  return (wish as { readonly dryRun?: unknown } | null)?.dryRun === true;
}

/** Who has the server, and what to do about it. A rebuild has it from its first check on. */
function holdOf(record: JobRecord | undefined): string | null {
  if (record === undefined) return null;
  const { number, kind, state, apart } = record;
  if (state !== "running") return stuckAt(record);
  const replaces = ["rebuild", "restore"].includes(kind) && !isDryRun(record);
  if (apart === null && !replaces) return null;
  return `job ${number} (${kind}) has the server: follow it with "xenon jobs follow ${number}", or ` +
    `end it with "xenon jobs cancel ${number}"`;
}

function stuckAt({ number, kind }: JobRecord): string {
  return `job ${number} (${kind}) could not be undone: do what "xenon jobs follow ${number}" says, ` +
    "and restart the agent";
}

/** Why a job's signal was aborted; null while it is not. */
function interruptOf(signal: AbortSignal): "canceled" | "agentEnds" | null {
  if (!signal.aborted) return null;
  return signal.reason instanceof JobInterrupt ? signal.reason.why : "canceled";
}
