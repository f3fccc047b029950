/**
 * Sends a copy of the server beside this agent to another host: xtrabackup, a pipe of the kernel, and
 * ssh with xbstream at its other end. No byte of the copy passes through this process; how far it is
 * stands in /proc. Both programs run in sessions of their own and are ended together.
 */
import { run, type RunOptions } from "../mysql/process.ts";
import { whyNotSent } from "./send_end.ts";
import { type SshIdentity, type SshPlace } from "./ssh.ts";

export interface SendWish {
  /** See backupCommand in xtrabackup.ts. */
  readonly source: readonly string[];
  /** See sshCommand in ssh.ts. */
  readonly sink: readonly string[];
  readonly place: SshPlace;
  readonly identity: SshIdentity;
  /** A private folder that exists. */
  readonly workFolder: string;
}

export interface SendLimits {
  readonly deadlineMs: number;
  /** No byte for so long is a failure. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

export interface SendResult {
  /** Null when everything was sent and received. */
  readonly because: string | null;
  readonly bytes: number;
  readonly durationMs: number;
}

type Side = "source" | "sink";

const lookEveryMs = 250;
/** What is still on its way when the sender has failed is not worth more. */
const lingerMs = 5_000;
/** xtrabackup gives its locks back and ends its sessions after its last byte. */
const tidyMs = 60_000;
const termMs = 3_000;
const fifoMs = 5_000;
/** The tool writes some lines for every table. */
const stderrBytesMax = 262_144;

/** The values are arguments of this constant text, so no shell ever reads them as commands. */
const redirected: Readonly<Record<Side, readonly string[]>> = {
  source: ["sh", "-c", 'exec "$@" >"$0"'],
  sink: ["sh", "-c", 'exec "$@" <"$0"'],
};

/** Runs the pipeline to its end. It never throws for what its programs do. */
export async function sendCopy(wish: SendWish, limits: SendLimits): Promise<SendResult> {
  const startedAt = performance.now();
  const pipeline = new Pipeline(wish, limits);
  const because = await pipeline.run();
  const durationMs = Math.round(performance.now() - startedAt);
  return { because, bytes: pipeline.bytes, durationMs };
}

class Pipeline {
  readonly #wish: SendWish;
  readonly #limits: SendLimits;
  readonly #stop = new AbortController();
  readonly #groups = new Map<Side, number>();
  #first: Side | null = null;
  #stopped: string | null = null;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #bytes = 0;
  #movedAt = performance.now();

  constructor(wish: SendWish, limits: SendLimits) {
    this.#wish = wish;
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async run(): Promise<string | null> {
    const { workFolder, source, sink, place, identity } = this.#wish;
    const pipe = `${workFolder}/pipe`;
    const made = await run(["mkfifo", "-m", "600", "--", pipe], { deadlineMs: fifoMs });
    if (made.ended.how !== "exit" || made.ended.code !== 0) {
      return `a pipe cannot be made in "${workFolder}": ${made.stderrTail.trim()}`;
    }
    const cancel = () => this.#end("it was canceled");
    this.#limits.signal.addEventListener("abort", cancel, { once: true });
    if (this.#limits.signal.aborted) cancel();
    const watch = setInterval(() => this.#look(), lookEveryMs);
    try {
      const [sourceEnd, sinkEnd] = await Promise.all([
        this.#side("source", [...redirected.source, pipe, ...source]),
        this.#side("sink", [...redirected.sink, pipe, ...sink]),
      ]);
      const ends = { source: sourceEnd, sink: sinkEnd };
      const told = { ...ends, first: this.#first ?? "source", stopped: this.#stopped };
      return whyNotSent(told, place, identity);
    } finally {
      clearInterval(watch);
      clearTimeout(this.#linger);
      this.#limits.signal.removeEventListener("abort", cancel);
      Deno.removeSync(pipe);
    }
  }

  async #side(side: Side, command: readonly string[]) {
    const options: RunOptions = {
      deadlineMs: this.#limits.deadlineMs,
      termMs,
      ownSession: true,
      stderrBytesMax,
      signal: this.#stop.signal,
      onStart: (pid) => this.#groups.set(side, pid),
    };
    const result = await run(command, options);
    this.#endGroup(side);
    const failed = result.ended.how !== "exit" || result.ended.code !== 0;
    this.#first ??= side;
    // Without a receiver nothing is worth sending. A receiver still takes what is on its way.
    if (side === "sink" && failed) this.#stop.abort();
    else if (side === "sink") this.#stopIn(tidyMs);
    else if (failed) this.#stopIn(lingerMs);
    return result;
  }

  #stopIn(milliseconds: number): void {
    this.#linger ??= setTimeout(() => this.#stop.abort(), milliseconds);
  }

  /** Children of a program that was killed would go on and hold the pipe open. */
  #endGroup(side: Side): void {
    const group = this.#groups.get(side);
    this.#groups.delete(side);
    if (group === undefined) return;
    try {
      Deno.kill(-group, "SIGKILL");
    } catch {
      // Nobody of that group is left, as it should be.
    }
  }

  #end(because: string): void {
    this.#stopped ??= because;
    this.#stop.abort();
  }

  /** Progress: what ssh has read from the pipe. */
  #look(): void {
    const pid = this.#groups.get("sink");
    const bytes = pid === undefined ? 0 : bytesReadBy(pid);
    if (bytes > this.#bytes) {
      this.#bytes = bytes;
      this.#movedAt = performance.now();
      this.#limits.onBytes(bytes);
    }
    if (performance.now() - this.#movedAt > this.#limits.silenceMs) {
      this.#end(`nothing was sent for ${Math.round(this.#limits.silenceMs / 1000)} s`);
    }
  }
}

/** See "/proc/pid/io" in proc(5); 0 where the process is gone. */
function bytesReadBy(pid: number): number {
  try {
    return Number(/^rchar: (\d+)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/io`))?.[1] ?? 0);
  } catch {
    // It ended, or it belongs to somebody else; then only its end is known.
    return 0;
  }
}
