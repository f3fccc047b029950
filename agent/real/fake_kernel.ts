/**
 * A kernel for the tests of the virtual address: addresses are leases there, and commands can be slow,
 * missing or forbidden.
 */
import type { ProcessEnd, ProcessResult, RunOptions } from "../../mysql/process.ts";
import type { VipConfig } from "../config_shape.ts";
import type { FakeClock } from "../fake_clock.ts";

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
