/**
 * A clock and a kernel for the tests of the virtual address: addresses are leases there, commands can
 * be slow, missing or forbidden, and time passes only when a test says so.
 */
import type { ProcessEnd, ProcessResult, RunOptions } from "../../mysql/process.ts";
import type { VipConfig } from "../config_shape.ts";

/** Time that passes only when a test says so. */
export class FakeClock {
  #now = 1_000;
  #timers: { readonly at: number; readonly call: () => void }[] = [];

  readonly now = () => this.#now;

  readonly after = (ms: number, call: () => void): () => void => {
    const timer = { at: this.#now + ms, call };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((one) => one !== timer);
  };

  get waiting(): number {
    return this.#timers.length;
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    while (true) {
      const next = this.#timers.filter((one) => one.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
      await settle();
    }
    this.#now = until;
  }

  /** Time goes on and nothing runs, as for a suspended host. */
  freeze(ms: number): void {
    this.#now += ms;
  }
}

/** Lets everything run that waits for no timer. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 50; round++) await Promise.resolve();
}

type Exit = { readonly code: number; readonly stdout?: string; readonly stderr?: string };

/** What ip(8) and arping(8) do to a kernel that holds leases. */
export class FakeKernel {
  readonly clock: FakeClock;
  readonly #vip: VipConfig;
  readonly commands: string[] = [];
  expiresAt = -Infinity;
  /** Another host that has the address until then. */
  otherUntil = -Infinity;
  /** Programs that this host does not have. */
  missing = new Set<string>();
  permitted = true;
  removable = true;
  /** Commands that add wait for this before they act, and cannot be killed: a frozen host's. */
  gate: Promise<void> | null = null;

  constructor(clock: FakeClock, vip: VipConfig) {
    this.clock = clock;
    this.#vip = vip;
  }

  get present(): boolean {
    return this.clock.now() < this.expiresAt;
  }

  count(part: string): number {
    return this.commands.filter((command) => command.includes(part)).length;
  }

  readonly run = async (
    command: readonly string[],
    options: RunOptions,
  ): Promise<ProcessResult> => {
    const text = command.join(" ");
    this.commands.push(text);
    if (this.missing.has(command[0] ?? "")) {
      return result(command, { how: "notStarted", because: "it does not exist" });
    }
    if (text.includes("-D") && !(this.clock.now() < this.otherUntil)) {
      await new Promise<void>((resolve) => this.clock.after(options.deadlineMs, resolve));
      return result(command, { how: "timeout", afterMs: options.deadlineMs, forced: true });
    }
    if (text.includes("replace") && this.gate !== null) await this.gate;
    const { code, stdout, stderr } = this.#act(text);
    return result(command, { how: "exit", code }, { stdout, stderr });
  };

  #act(text: string): Exit {
    if (text.includes("-D")) return { code: 1, stdout: "reply from [02:00:00:00:00:01]" };
    if (text.startsWith("arping -V")) return { code: 0, stdout: "arping from iputils" };
    if (text.includes("show")) return { code: 0, stdout: this.#list() };
    if (!text.startsWith("ip")) return { code: 0 };
    if (!this.permitted) return { code: 2, stderr: "RTNETLINK answers: Operation not permitted" };
    if (text.includes("replace")) {
      this.expiresAt = this.clock.now() + this.#vip.leaseMs;
      return { code: 0 };
    }
    if (!this.present) return { code: 2, stderr: "Error: ipv4: Address not found." };
    if (this.removable) this.expiresAt = -Infinity;
    return { code: 0 };
  }

  #list(): string {
    const seconds = Math.ceil((this.expiresAt - this.clock.now()) / 1000);
    const entry = {
      local: this.#vip.address,
      prefixlen: this.#vip.prefix,
      valid_life_time: seconds,
    };
    return JSON.stringify([{
      ifname: this.#vip.interface,
      addr_info: this.present ? [entry] : [],
    }]);
  }
}

function result(
  command: readonly string[],
  ended: ProcessEnd,
  output: { readonly stdout?: string | undefined; readonly stderr?: string | undefined } = {},
): ProcessResult {
  return {
    command,
    ended,
    durationMs: 1,
    stdoutTail: output.stdout ?? "",
    stdoutCut: false,
    stderrTail: output.stderr ?? "",
  };
}
