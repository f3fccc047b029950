/**
 * Writes log lines to stderr or to a file. Nothing waits for them: a reader that stopped reading
 * must not freeze an agent that holds a lease. Lines wait in a bounded queue, and a full queue
 * drops lines and says how many. (The decision against a logging library: its sinks either lose
 * the last lines or block the process, and this is all of the rest.)
 */
import type { KeptLine } from "../log_ring.ts";
import { formatLine, isLogged, type LogEvent, type LogFields, type LogLevel } from "../log_line.ts";
import { messageOf } from "../../mysql/message_of.ts";

/** At most this many lines wait for a slow reader. */
const WAITING_LINES_MAX = 1000;

/** How much of a log file is read back at the start of an agent. */
const LOG_END_BYTES = 256 * 1024;

/** Where lines go; a file or stderr, or a list in tests. */
export interface LogSink {
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "text" | "json";
  /** Facts that stand on every line: role, id, view, epoch. Asked for each line. */
  readonly identity?: () => LogFields;
  /** Takes every line as text, whatever becomes of it in the sink. */
  readonly keep?: (line: KeptLine) => void;
  /** Opens the sink; called again by `reopen()`. */
  readonly open: () => LogSink;
}

export interface Logger {
  write(level: Lowercase<LogLevel>, sentence: string, facts?: LogFields): void;
  /** Resolves when everything said so far is written, or after `deadlineMs`. Call before exit. */
  flush(deadlineMs: number): Promise<void>;
  /** Opens the file again, for rotation by rename. One that cannot be opened leaves the former. */
  reopen(): void;
  [Symbol.dispose](): void;
}

/** Opens the log. A reader that is too slow costs lines, never the agent's time. */
export function createLogger(options: LogOptions): Logger {
  const waiting: string[] = [];
  let sink = options.open();
  let dropped = 0;
  let writing: Promise<void> | null = null;

  function write(word: Lowercase<LogLevel>, sentence: string, facts: LogFields = {}): void {
    const level = word.toUpperCase() as LogLevel;
    if (!isLogged(level, options.level)) return;
    const event = eventOf(level, sentence, { ...options.identity?.(), ...facts });
    options.keep?.({ time: event.time, line: formatLine(event, "text") });
    if (waiting.length < WAITING_LINES_MAX) push(event);
    else dropped++;
  }

  function push(event: LogEvent): void {
    waiting.push(`${formatLine(event, options.format)}\n`);
    writing ??= drain();
  }

  async function drain(): Promise<void> {
    // A pause of one microtask joins the lines of one event into one write.
    await Promise.resolve();
    while (waiting.length > 0) {
      await writeAll(sink, waiting.splice(0).join(""));
      if (dropped > 0) sayDropped();
    }
    writing = null;
  }

  function sayDropped(): void {
    const lines = dropped;
    dropped = 0;
    push(eventOf("WARNING", "Log lines were dropped as their reader was too slow", { lines }));
  }

  return {
    write,
    flush: (deadlineMs) => settleWithin(writing, deadlineMs),
    reopen() {
      const former = sink;
      try {
        sink = options.open();
      } catch (error) {
        write(
          "warning",
          `${messageOf(error)}. Lines go on to the former file: correct that and send SIGHUP`,
        );
        return;
      }
      // A write under way may still use the former file; it is closed after it.
      (writing ?? Promise.resolve()).finally(() => former.close());
    },
    [Symbol.dispose]: () => sink.close(),
  };
}

function eventOf(level: LogLevel, sentence: string, fields: LogFields): LogEvent {
  return { time: new Date().toISOString(), level, sentence, fields };
}

/** Standard error: the journal of the service manager reads it. */
export function openStderr(): LogSink {
  return { write: (bytes) => Deno.stderr.write(bytes), close: () => {} };
}

/** Appends to a file that only the agent's account and its group can read. */
export function openLogFile(path: string): LogSink {
  const file = openToAppend(path);
  return { write: (bytes) => file.write(bytes), close: () => file.close() };
}

function openToAppend(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { append: true, create: true, mode: 0o640 });
  } catch (cause) {
    const because = messageOf(cause).replace(/: open '.*'$/, "");
    throw new Error(
      `Cannot open log file ${JSON.stringify(path)}: ${because}; ` +
        "the agent's account must be able to write it (log.file, owner and mode of file and folder)",
      { cause },
    );
  }
}

/** The end of a log file that an earlier run wrote, from its first whole line on; empty without one. */
export async function readLogEnd(path: string): Promise<string> {
  try {
    using file = await Deno.open(path);
    const { size } = await file.stat();
    const start = Math.max(0, size - LOG_END_BYTES);
    await file.seek(start, Deno.SeekMode.Start);
    const bytes = new Uint8Array(Math.min(size, LOG_END_BYTES));
    const length = await file.read(bytes) ?? 0;
    const text = new TextDecoder().decode(bytes.subarray(0, length));
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } catch {
    // Without its past a log is still a log.
    return "";
  }
}

/** A log that cannot be written (full disk, closed pipe) must not end the agent: lines are lost. */
async function writeAll(sink: LogSink, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) done += await sink.write(bytes.subarray(done));
  } catch {
    // There is no second place to complain to.
  }
}

async function settleWithin(work: Promise<void> | null, deadlineMs: number): Promise<void> {
  if (work === null) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, deadlineMs));
  await Promise.race([work, late]);
  clearTimeout(timer);
}
