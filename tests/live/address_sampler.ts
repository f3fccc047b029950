/**
 * Which hosts have the virtual address, looked at many times a second without starting a program:
 * the kernel lists the addresses of a namespace in the /proc folder of everything that runs there.
 */
import { overlapMs, runsOf } from "../../cmd/demo/ledger.ts";
import { startDetached } from "../../mysql/process.ts";
import { pause } from "../../mysql/time_left.ts";
import type { Host } from "./hosts.ts";

const everyMs = 20;
/** Two samples this far apart say nothing about the time between them. */
const gapMaxMs = 200;
const enterMs = 5_000;

/** A host that lost its power is looked into again so long after that. */
const enterAgainMs = 500;

interface Series {
  readonly host: Host;
  /** Undefined while nothing runs there that would show it. */
  table: string | undefined;
  readonly heldAt: number[];
}

export class AddressSampler implements AsyncDisposable {
  readonly #address: string;
  readonly #series: readonly Series[];
  readonly #entering = new Set<Promise<void>>();
  #stopped = false;
  #sampling: Promise<void> = Promise.resolve();
  #longestGapMs = 0;

  private constructor(address: string, series: readonly Series[]) {
    this.#address = address;
    this.#series = series;
    this.#sampling = this.#sample();
  }

  /** Looks at an IPv4 address of hosts until the end of the scope, which is before theirs. */
  static async start(hosts: readonly Host[], address: string): Promise<AddressSampler> {
    const series = await Promise.all(hosts.map(async (host) => {
      return { host, table: await tableOf(host), heldAt: [] };
    }));
    return new AddressSampler(address, series);
  }

  /** The hosts that have it now. */
  holders(): readonly Host[] {
    return this.#series.filter((series) => this.#holds(series)).map(({ host }) => host);
  }

  /** Milliseconds since `fromAt` in which at least two hosts had it at the same time. */
  overlapMs(fromAt: number): number {
    return overlapMs(this.#series.map(({ heldAt }) => {
      return runsOf(heldAt.filter((at) => at >= fromAt), gapMaxMs);
    }));
  }

  /** When each host had it since `fromAt`, in milliseconds after that. */
  describe(fromAt: number): string {
    return this.#series.flatMap(({ host, heldAt }) =>
      runsOf(heldAt.filter((at) => at >= fromAt), gapMaxMs).map((run) =>
        `${host.name} ${Math.round(run.fromAt - fromAt)}..${Math.round(run.untilAt - fromAt)}`
      )
    ).join(", ");
  }

  /** The longest time that this process did not look; it grows on a busy machine. */
  get longestGapMs(): number {
    return this.#longestGapMs;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    return this.#sampling;
  }

  async #sample(): Promise<void> {
    let before = performance.now();
    while (!this.#stopped) {
      const at = performance.now();
      this.#longestGapMs = Math.max(this.#longestGapMs, at - before);
      before = at;
      for (const series of this.#series) {
        if (this.#holds(series)) series.heldAt.push(at);
      }
      await pause(everyMs);
    }
    await Promise.all(this.#entering);
  }

  #holds(series: Series): boolean {
    if (series.table === undefined) return false;
    try {
      return isListed(series.table, this.#address);
    } catch {
      // What showed it was killed with all else there: the host lost its power, and its addresses.
      series.table = undefined;
      this.#enterAgain(series);
      return false;
    }
  }

  #enterAgain(series: Series): void {
    const entering = pause(enterAgainMs).then(async () => {
      series.table = await tableOf(series.host);
    }).finally(() => this.#entering.delete(entering));
    this.#entering.add(entering);
  }
}

/** The routing table of a host's namespace; a sleeping program keeps it in view. */
async function tableOf(host: Host): Promise<string> {
  const pid = await startDetached(host.command(["sleep", "900"]), { outputFile: "/dev/null" });
  const endsAt = performance.now() + enterMs;
  while (!(await host.pids()).includes(pid)) {
    if (performance.now() > endsAt) throw new Error(`Cannot look into "${host.namespace}"`);
    await pause(everyMs);
  }
  return `/proc/${pid}/net/fib_trie`;
}

/** An address of the host itself stands in its table with this mark. */
function isListed(table: string, address: string): boolean {
  const text = Deno.readTextFileSync(table);
  return new RegExp(`-- ${address.replaceAll(".", "\\.")}\\n\\s+/32 host LOCAL`).test(text);
}
