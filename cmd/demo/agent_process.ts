/** An agent as a child process of its own session: started, frozen and killed by its process id. */
import { startDetached } from "../../mysql/process.ts";
import { livenessOf } from "../../mysql/process_stat.ts";
import { readStat } from "../../mysql/server_process.ts";
import { pause } from "../../mysql/time_left.ts";

/** An agent under test, as a process that can be signalled and killed. */
export class AgentProcess {
  readonly pid: number;
  /** With the process id it names one process for ever, so no stranger is ever signalled. */
  readonly #startTime: string;

  private constructor(pid: number, startTime: string) {
    this.pid = pid;
    this.#startTime = startTime;
  }

  /** What it prints itself, mostly why it could not start, goes to `outputFile`. */
  static async start(
    command: readonly string[],
    options: { readonly outputFile: string },
  ): Promise<AgentProcess> {
    const pid = await startDetached(command, options);
    return new AgentProcess(pid, readStat(pid)?.startTime ?? "gone");
  }

  get alive(): boolean {
    return livenessOf(readStat(this.pid), this.#startTime) !== "dead";
  }

  signal(signal: Deno.Signal): void {
    if (!this.alive) return;
    try {
      Deno.kill(this.pid, signal);
    } catch (error) {
      // It ended between the look and the signal.
      if (this.alive) throw error;
    }
  }

  /** True when nothing of it is left within the time, which is later than its death. */
  async waitGone(deadlineMs: number): Promise<boolean> {
    const endsAt = performance.now() + deadlineMs;
    while (readStat(this.pid)?.startTime === this.#startTime) {
      if (performance.now() >= endsAt) return false;
      await pause(lookEveryMs);
    }
    return true;
  }
}

const lookEveryMs = 10;
