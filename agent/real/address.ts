/**
 * The virtual IP address on a real host: commands of the kernel's tools, each with a deadline, none
 * of them awaited by the protocol. The decisions are in `../vip.ts`.
 *
 * Whatever happens to this process, the kernel ends the lease. So nothing here has to succeed for
 * safety, except that no command may bring an address back that nobody wants.
 */
import { describeResult, type ProcessResult, run, succeeded } from "../../mysql/process.ts";
import type { VipConfig } from "../config_shape.ts";
import type { Clock, Log } from "../ports.ts";
import {
  afterCommand,
  type Claim,
  kernelLateMs,
  type Leadership,
  renewalDue,
  type Standing,
  standing,
  type VirtualIp,
  waitBeforeAddMs,
} from "../vip.ts";
import {
  addCommand,
  type Command,
  listCommand,
  type ListedAddress,
  readAddresses,
  removeCommand,
  sameAddress,
} from "../vip_commands.ts";
import { fixOf, Neighbours, probeMs, whyFailed } from "./neighbours.ts";
import { messageOf } from "../../mysql/message_of.ts";

export interface VirtualAddressOptions {
  readonly vip: VipConfig;
  /** A clock that also counts the time of a suspended host. */
  readonly clock: Clock;
  readonly log: Log;
  /** The lease of the leadership, not of the address: `raft.leaseMs`. */
  readonly leadershipMs: number;
  /** See `Leadership.confirmedAt`. */
  readonly confirmedAt: () => number;
  /** How commands are run; tests bring a kernel of their own. */
  readonly runCommand?: typeof run;
}

/** A command of ip(8) takes some milliseconds; a host where it takes longer is in trouble. */
const commandMs = 1_000;
/** The last holder may only just be losing it. */
const probeAgainMs = 100;
/** How often a fresh word of the quorum is looked for before the address is added. */
const freshEveryMs = 10;
/** A command that adds the address when it has to go is killed, and gets this long to end. */
const addingEndMs = 100;
const removeTriesMax = 3;

/** The address as a lease. One for each agent. */
export class VirtualAddress implements VirtualIp {
  readonly #options: VirtualAddressOptions;
  readonly #run: typeof run;
  readonly #neighbours: Neighbours;
  /** Counts takings and droppings, so that a late one knows that it is no longer meant. */
  #turn = 0;
  #wanted = false;
  #expiresAt = -Infinity;
  /** The command on its way that adds or renews. */
  #adding: { readonly abort: AbortController; readonly ended: Promise<unknown> } | null = null;
  #renewedFor = -Infinity;
  #renewedAt = -Infinity;
  /** The last failure of a renewal, so that it is not said with every heartbeat. */
  #complaint = "";

  constructor(options: VirtualAddressOptions) {
    this.#options = options;
    this.#run = options.runCommand ?? run;
    this.#neighbours = new Neighbours({ ...options, runCommand: this.#run });
  }

  get address(): string {
    return this.#options.vip.address;
  }

  get leaseMs(): number {
    return this.#options.vip.leaseMs;
  }

  holds(): boolean {
    return this.#wanted && this.#options.clock.now() < this.#expiresAt;
  }

  /** Rejected where the agent could not remove the address later either; the error names the fix. */
  async removeAtBoot(): Promise<void> {
    const { vip } = this.#options;
    // Removing what is not there is refused, but for want of a right it is refused in other words.
    const result = await this.#command(removeCommand(vip));
    const fix = succeeded(result) ? null : fixOf(result);
    if (fix !== null) throw this.#cannot("manage", `${describeResult(result)}; ${fix}`);
    await this.drop();
    await this.#neighbours.check();
  }

  async take(claim: Claim): Promise<void> {
    const turn = ++this.#turn;
    const failed = new AbortController();
    const signal = AbortSignal.any([claim.signal, failed.signal]);
    const opened = claim.opened.catch((error) => {
      failed.abort(error);
      throw error;
    });
    try {
      const ends = await Promise.allSettled([opened, this.#waitUntilFree(claim, signal)]);
      for (const end of ends) if (end.status === "rejected") throw end.reason;
      await this.#waitUntilFresh(signal);
      await this.#add(turn, signal);
    } catch (error) {
      // Not when somebody dropped it meanwhile: that one has removed it, or is about to.
      if (turn === this.#turn) await this.drop().catch((next) => this.#logError(next));
      throw error;
    }
  }

  renew(): void {
    const now = this.#options.clock.now();
    const leadership = this.#leadership();
    const renewals = {
      renewedFor: this.#renewedFor,
      renewedAt: this.#renewedAt,
      underWay: this.#adding !== null,
      addressMs: this.#options.vip.leaseMs,
    };
    if (!this.#wanted || !renewalDue(renewals, leadership, now)) return;
    this.#renewOnce();
  }

  async drop(): Promise<void> {
    this.#turn++;
    const had = this.holds();
    this.#wanted = false;
    this.#expiresAt = -Infinity;
    this.#neighbours.stop();
    const adding = this.#adding;
    adding?.abort.abort(new Error("the address is given up"));
    if (adding !== null) await this.#within(adding.ended, addingEndMs);
    await this.#remove();
    const { vip, log } = this.#options;
    if (had) log.write("info", `This host has given ${vip.address} up`, {});
  }

  announce(): void {
    if (this.holds()) this.#neighbours.announceWhile(() => this.holds());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drop();
  }

  /** Ends when the old leader's lease must be over and nobody answers for the address. */
  async #waitUntilFree(claim: Claim, signal: AbortSignal): Promise<void> {
    const { vip, clock } = this.#options;
    const waitMs = waitBeforeAddMs(claim, vip.leaseMs);
    const freeAt = clock.now() + waitMs;
    if (claim.released) return;
    // The probe needs some time as well, so it runs in the last part of the wait.
    await this.#pause(Math.max(0, waitMs - probeMs), signal);
    const giveUpAt = clock.now() + vip.leaseMs + kernelLateMs;
    while (true) {
      const other = await this.#neighbours.otherHolder();
      if (other === null) break;
      if (clock.now() >= giveUpAt) throw this.#cannot("take", `${other} answers for it`);
      await this.#pause(probeAgainMs, signal);
    }
    await this.#pause(Math.max(0, freeAt - clock.now()), signal);
  }

  /** The followers count the lease from the last confirmation, so an old one adds no address. */
  async #waitUntilFresh(signal: AbortSignal): Promise<void> {
    while (this.#standing() !== "fresh") {
      if (this.#standing() === "over") throw this.#cannot("take", "this node leads no longer");
      await this.#pause(freshEveryMs, signal);
    }
    signal.throwIfAborted();
  }

  async #add(turn: number, signal: AbortSignal): Promise<void> {
    const { vip, clock } = this.#options;
    const givenUp = () => this.#cannot("take", "it was given up meanwhile");
    if (turn !== this.#turn) throw givenUp();
    const startedAt = clock.now();
    this.#wanted = true;
    const result = await this.#addOnce(signal);
    if (turn !== this.#turn) {
      await this.#removeUnwanted();
      throw givenUp();
    }
    if (!succeeded(result)) throw this.#cannot("take", whyFailed(result));
    if (this.#standing() === "over") throw this.#cannot("take", "this node leads no longer");
    this.#expiresAt = startedAt + vip.leaseMs;
    this.announce();
    await this.#verify();
    this.#options.log.write("info", `This host has ${vip.address} on ${vip.interface} now`, {});
  }

  /** Reads back what the kernel has: an address without an end would outlive its holder. */
  async #verify(): Promise<void> {
    const { vip } = this.#options;
    const found = (await this.#list()).find((one) => one.interface === vip.interface);
    if (found === undefined) throw this.#cannot("take", "it is absent after it was added");
    if (found.validSeconds > Math.ceil(vip.leaseMs / 1000)) {
      throw this.#cannot("take", `it lives for ${found.validSeconds} s in place of its lease`);
    }
  }

  async #renewOnce(): Promise<void> {
    const { vip, log, clock } = this.#options;
    const startedAt = clock.now();
    const lapsed = !this.holds();
    const result = await this.#addOnce();
    const verdict = afterCommand({ wanted: this.#wanted, standing: this.#standing() });
    if (verdict === "remove") {
      const sentence = `Removing ${vip.address} again: its renewal came too late`;
      // Without being wanted it was dropped while the command ran, which is nothing special.
      if (this.#wanted) log.write("warning", sentence, {});
      await this.#removeUnwanted();
    } else if (succeeded(result)) {
      this.#expiresAt = startedAt + vip.leaseMs;
      this.#complaint = "";
      if (lapsed) this.#lapsed();
    } else if (this.#complaint !== whyFailed(result)) {
      this.#complaint = whyFailed(result);
      log.write("warning", this.#cannot("renew", this.#complaint).message, {});
    }
  }

  /** Rounds were answered too late for a while, so the kernel had removed it meanwhile. */
  #lapsed(): void {
    const { vip, log } = this.#options;
    log.write("warning", `Added ${vip.address} again: it had run out between two renewals`, {});
    this.announce();
  }

  /** After a command that came too late; a later taking may own the address by now. */
  async #removeUnwanted(): Promise<void> {
    if (this.#wanted && this.#standing() !== "over") return;
    this.#wanted = false;
    this.#expiresAt = -Infinity;
    this.#neighbours.stop();
    await this.#remove().catch((error) => this.#logError(error));
  }

  /** Adds the address or lengthens its life; `drop` can end the command while it runs. */
  async #addOnce(signal?: AbortSignal): Promise<ProcessResult> {
    this.#renewedFor = this.#leadership().confirmedAt;
    this.#renewedAt = this.#options.clock.now();
    const abort = new AbortController();
    const either = AbortSignal.any(signal === undefined ? [abort.signal] : [abort.signal, signal]);
    const ended = this.#command(addCommand(this.#options.vip), either);
    const adding = { abort, ended };
    this.#adding = adding;
    const result = await ended;
    if (this.#adding === adding) this.#adding = null;
    return result;
  }

  /** Removes the address wherever on this host it is, and looks that it is gone. */
  async #remove(): Promise<void> {
    const { vip } = this.#options;
    let last = await this.#command(removeCommand(vip));
    for (let tries = 0; tries < removeTriesMax; tries++) {
      const found = await this.#list();
      if (found.length === 0) return;
      for (const listed of found) last = await this.#command(removeCommand(listed));
    }
    throw this.#cannot("remove", whyFailed(last));
  }

  /** Every place on this host that has the address. */
  async #list(): Promise<readonly ListedAddress[]> {
    const { address } = this.#options.vip;
    const result = await this.#command(listCommand(address));
    if (!succeeded(result)) throw this.#cannot("look for", whyFailed(result));
    return readAddresses(result.stdoutTail).filter((one) => sameAddress(one.address, address));
  }

  #command(command: Command, signal?: AbortSignal): Promise<ProcessResult> {
    return this.#run(command, {
      deadlineMs: commandMs,
      termMs: 0,
      env: { LC_ALL: "C" },
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #leadership(): Leadership {
    const { confirmedAt, leadershipMs } = this.#options;
    return { confirmedAt: confirmedAt(), leaseMs: leadershipMs };
  }

  #standing(): Standing {
    return standing(this.#leadership(), this.#options.clock.now());
  }

  #logError(error: unknown): void {
    this.#options.log.write("error", messageOf(error), {});
  }

  #cannot(action: string, why: string): Error {
    const { address, interface: name } = this.#options.vip;
    return new Error(`Cannot ${action} the virtual address ${address} on "${name}" as ${why}`);
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        cancel();
        reject(signal.reason);
      };
      const cancel = this.#options.clock.after(ms, () => {
        signal.removeEventListener("abort", stop);
        resolve();
      });
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
    });
  }

  #within(work: Promise<unknown>, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(limitMs, resolve);
      work.finally(() => {
        cancel();
        resolve();
      });
    });
  }
}
