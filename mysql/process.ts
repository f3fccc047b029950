/**
 * Runs a child process and tells how it ended as one record.
 *
 * A command is a list, never a shell string. A child that overstays its deadline is asked to stop
 * (SIGTERM), given a moment, and then forced (SIGKILL); the record says which it was. Output is
 * kept as a bounded tail, so that a chatty child cannot fill the memory of the agent.
 */

import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { describeEnd } from "./process_end.ts";
import { messageOf } from "./message_of.ts";

/** How a child process ended, with the last of what it said. */
export interface ProcessResult {
  readonly command: readonly string[];
  readonly ended: ProcessEnd;
  readonly durationMs: number;
  /** The last part of its standard output; all of it unless `stdoutCut` is true. */
  readonly stdoutTail: string;
  readonly stdoutCut: boolean;
  readonly stderrTail: string;
}

export type ProcessEnd =
  | { readonly how: "exit"; readonly code: number }
  | { readonly how: "signal"; readonly signal: Deno.Signal }
  | { readonly how: "timeout"; readonly afterMs: number; readonly forced: boolean }
  | { readonly how: "aborted"; readonly forced: boolean }
  | { readonly how: "notStarted"; readonly because: string };

export interface RunOptions {
  /** After this time the child is stopped. */
  readonly deadlineMs: number;
  /** How long a child may take to stop after SIGTERM before SIGKILL follows. */
  readonly termMs?: number;
  /** Text written to its standard input, which is then closed. Without it, it reads nothing. */
  readonly stdin?: string;
  /** Variables added to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly stdoutBytesMax?: number;
  readonly stderrBytesMax?: number;
  /** Runs the child in a session of its own and sends its stop signals to all its children too. */
  readonly ownSession?: boolean;
  readonly signal?: AbortSignal;
  /** Told the process id; with a session of its own it is the number of its process group too. */
  readonly onStart?: (pid: number) => void;
}

const termMsDefault = 2_000;
const stdoutBytesMaxDefault = 1_048_576;
const stderrBytesMaxDefault = 8_192;

/** A grandchild may keep a pipe open after the child is gone; its output is not waited for. */
const pipeDrainMs = 200;

const shownCommandMax = 200;

/**
 * Runs one command to its end. It never throws for what the child does: a missing program, a
 * failure, and a passed deadline are all ends that the record names.
 */
export async function run(
  command: readonly string[],
  options: RunOptions,
): Promise<ProcessResult> {
  const startedAt = performance.now();
  const finish = (ended: ProcessEnd, out?: Tail, err?: Tail): ProcessResult => ({
    command,
    ended,
    durationMs: Math.round(performance.now() - startedAt),
    stdoutTail: out?.text() ?? "",
    stdoutCut: out?.cut ?? false,
    stderrTail: err?.text() ?? "",
  });
  let child: Deno.ChildProcess;
  try {
    child = startChild(command, options);
  } catch (error) {
    return finish({ how: "notStarted", because: notStartedReason(error) });
  }
  options.onStart?.(child.pid);
  const out = new Tail(options.stdoutBytesMax ?? stdoutBytesMaxDefault);
  const err = new Tail(options.stderrBytesMax ?? stderrBytesMaxDefault);
  const pipes = [collect(child.stdout, out), collect(child.stderr, err)];
  const written = options.stdin === undefined
    ? Promise.resolve()
    : writeAll(child.stdin, options.stdin);
  const ended = await endOf(child, options);
  await drain(pipes);
  await valueWithin(written, pipeDrainMs);
  return finish(ended, out, err);
}

/** True when the child ended by itself with exit code 0. */
export function succeeded(result: ProcessResult): boolean {
  return result.ended.how === "exit" && result.ended.code === 0;
}

/** One sentence about how a child ended, with the last line that it wrote to standard error. */
export function describeResult(result: ProcessResult): string {
  const program = result.command.join(" ").slice(0, shownCommandMax);
  const lastLine = result.stderrTail.trimEnd().split("\n").at(-1)?.trim() ?? "";
  return `"${program}" ${describeEnd(result)}${lastLine === "" ? "" : `: ${lastLine}`}`;
}

/**
 * Starts a program that outlives this process: own session, no pipes, output appended to a file.
 * Returns its process id. Where the program cannot be started at all, the promise is rejected.
 */
export async function startDetached(
  command: readonly string[],
  options: { readonly outputFile: string },
): Promise<number> {
  const [program = "", ...args] = command;
  const output = openSync(options.outputFile, "a", 0o640);
  try {
    const child = spawn(program, args, {
      detached: true,
      stdio: ["ignore", output, output],
      env: inheritedEnvironment(),
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", () => resolve());
      child.once("error", (error) => reject(cannotStart(program, error)));
    });
    child.unref();
    if (child.pid === undefined) throw cannotStart(program, new Error("no process id was given"));
    return child.pid;
  } finally {
    closeSync(output);
  }
}

/**
 * The environment without what is meant for this process alone: a server that saw the NOTIFY_SOCKET
 * of our systemd unit would report itself there, and our own settings may hold a secret.
 */
function inheritedEnvironment(): Record<string, string> {
  const ours = /^(XENON_|NOTIFY_SOCKET$|LISTEN_|WATCHDOG_|INVOCATION_ID$|JOURNAL_STREAM$)/;
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => !ours.test(name)),
  );
}

function cannotStart(program: string, cause: Error): Error {
  return new Error(`Cannot start "${program}": ${cause.message}`, { cause });
}

function startChild(command: readonly string[], options: RunOptions): Deno.ChildProcess {
  const [program = "", ...args] = command;
  return new Deno.Command(program, {
    args,
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
    ...(options.folder === undefined ? {} : { cwd: options.folder }),
    detached: options.ownSession ?? false,
  }).spawn();
}

function notStartedReason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "it does not exist";
  return messageOf(error);
}

/** Waits for the child, and walks the ladder when it is late or no longer wanted. */
async function endOf(child: Deno.ChildProcess, options: RunOptions): Promise<ProcessEnd> {
  const stop = stopRequest(options);
  const first = await Promise.race([child.status, stop.requested]);
  stop.cancel();
  if (typeof first !== "string") return endFromStatus(first);
  const group = options.ownSession ?? false;
  sendSignal(child, "SIGTERM", group);
  const stopped = await valueWithin(child.status, options.termMs ?? termMsDefault);
  if (stopped === undefined) {
    sendSignal(child, "SIGKILL", group);
    await child.status;
  }
  const forced = stopped === undefined;
  return first === "timeout"
    ? { how: "timeout", afterMs: options.deadlineMs, forced }
    : { how: "aborted", forced };
}

function stopRequest(options: RunOptions) {
  const { promise, resolve } = Promise.withResolvers<"timeout" | "aborted">();
  const timer = setTimeout(() => resolve("timeout"), options.deadlineMs);
  const abort = () => resolve("aborted");
  options.signal?.addEventListener("abort", abort, { once: true });
  if (options.signal?.aborted) abort();
  const cancel = () => {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
  };
  return { requested: promise, cancel };
}

function endFromStatus(status: Deno.CommandStatus): ProcessEnd {
  return status.signal === null
    ? { how: "exit", code: status.code }
    : { how: "signal", signal: status.signal };
}

function sendSignal(child: Deno.ChildProcess, signal: Deno.Signal, group: boolean): void {
  try {
    Deno.kill(group ? -child.pid : child.pid, signal);
  } catch {
    // The child ended between the decision and the signal, which is what was wanted.
  }
}

/** The value of a promise, or undefined when the time is over; `within` of time_left.ts rejects then. */
async function valueWithin<T>(promise: Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Pipe {
  readonly done: Promise<void>;
  readonly cancel: () => Promise<void>;
}

function collect(stream: ReadableStream<Uint8Array>, tail: Tail): Pipe {
  const reader = stream.getReader();
  return { done: readInto(reader, tail), cancel: () => reader.cancel() };
}

async function readInto(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  tail: Tail,
): Promise<void> {
  while (true) {
    const { done, value } = await reader.read();
    if (done) return;
    tail.add(value);
  }
}

async function drain(pipes: readonly Pipe[]): Promise<void> {
  const ended = await valueWithin(Promise.all(pipes.map((pipe) => pipe.done)), pipeDrainMs);
  if (ended === undefined) await Promise.all(pipes.map((pipe) => pipe.cancel()));
}

async function writeAll(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // A child may end without reading its input (a broken pipe); its exit code tells the story.
  }
}

/** The last bytes of a stream, and whether there were more. */
class Tail {
  readonly #bytesMax: number;
  #chunks: Uint8Array[] = [];
  #size = 0;
  cut = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size - (this.#chunks[0]?.length ?? 0) >= this.#bytesMax) {
      this.#size -= this.#chunks.shift()?.length ?? 0;
      this.cut = true;
    }
  }

  text(): string {
    const joined = new Uint8Array(this.#size);
    let position = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, position);
      position += chunk.length;
    }
    if (this.#size > this.#bytesMax) this.cut = true;
    return new TextDecoder().decode(joined.subarray(Math.max(0, this.#size - this.#bytesMax)));
  }
}
