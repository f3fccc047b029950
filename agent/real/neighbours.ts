/**
 * What the neighbours of a virtual address are asked and told: whether somebody else has it, and where
 * it is now. Useful but never needed, so a program that is missing costs a warning, not the address.
 */
import { describeResult, type ProcessResult, type run, succeeded } from "../../mysql/process.ts";
import type { VipConfig } from "../config_shape.ts";
import type { Clock, Log } from "../ports.ts";
import { nextAnnouncementMs } from "../vip.ts";
import {
  announceCommands,
  type Command,
  fixFor,
  helperCommands,
  probeCommand,
} from "../vip_commands.ts";

export interface NeighboursOptions {
  readonly vip: VipConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly runCommand: typeof run;
}

/** So long nobody may answer before the address counts as free; an answer takes some 20 ms. */
export const probeMs = 100;
/** Announcements are sent at once, but arping(8) then listens for a second. */
const announceMs = 2_000;
const announcementsMax = 8;
const helperMs = 1_000;

/** One for each virtual address. */
export class Neighbours {
  readonly #options: NeighboursOptions;
  readonly #warned = new Set<string>();
  #announcing = 0;
  #cancel: () => void = () => {};

  constructor(options: NeighboursOptions) {
    this.#options = options;
  }

  /** Better said at the start than in a failover: which program is missing. */
  async check(): Promise<void> {
    for (const command of helperCommands(this.#options.vip)) {
      const result = await this.#options.runCommand(command, { deadlineMs: helperMs, termMs: 0 });
      const missing = result.ended.how === "notStarted";
      const other = command[0] === "arping" && !result.stdoutTail.includes("iputils");
      if (missing || other) this.#warnOnce(result, "announce");
    }
  }

  /** Who answers for the address; null for nobody. A probe that cannot be made finds nobody. */
  async otherHolder(): Promise<string | null> {
    const command = probeCommand(this.#options.vip, probeMs);
    const result = await this.#options.runCommand(command, { deadlineMs: probeMs, termMs: 0 });
    const { ended } = result;
    if (ended.how === "timeout") return null;
    const [taken, free] = command[0] === "arping" ? [1, 0] : [0, 2];
    if (ended.how === "exit" && ended.code === taken) {
      return /([0-9a-f]{2}:){5}[0-9a-f]{2}/i.exec(result.stdoutTail)?.[0] ?? "another host";
    }
    const silent = ended.how === "exit" && ended.code === free;
    if (!silent) this.#warnOnce(result, "look for a duplicate of");
    return null;
  }

  /** Tells them now and again by the schedule, while `holds` is true. Nobody waits for it. */
  announceWhile(holds: () => boolean): void {
    this.stop();
    this.#announce(0, holds);
  }

  stop(): void {
    this.#cancel();
  }

  #announce(count: number, holds: () => boolean): void {
    if (!holds()) return;
    for (const command of announceCommands(this.#options.vip)) this.#announceOnce(command, holds);
    const next = () => this.#announce(count + 1, holds);
    this.#cancel = this.#options.clock.after(nextAnnouncementMs(count), next);
  }

  async #announceOnce(command: Command, holds: () => boolean): Promise<void> {
    if (this.#announcing >= announcementsMax) return;
    this.#announcing++;
    const result = await this.#options.runCommand(command, { deadlineMs: announceMs, termMs: 0 });
    this.#announcing--;
    // Without its address, arping has nothing to announce: it was dropped meanwhile.
    if (!succeeded(result) && holds()) this.#warnOnce(result, "announce");
  }

  /** Said once for each program and purpose, not with every announcement. */
  #warnOnce(result: ProcessResult, action: string): void {
    const key = `${action} ${result.command[0]}`;
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    const { address, interface: name } = this.#options.vip;
    const sentence = `Cannot ${action} the virtual address ${address} on "${name}" as ` +
      whyFailed(result);
    this.#options.log.write("warning", sentence, {});
  }
}

/** How a command failed, and what an operator can do about it where that is known. */
export function whyFailed(result: ProcessResult): string {
  const fix = fixOf(result);
  return fix === null ? describeResult(result) : `${describeResult(result)}; ${fix}`;
}

/** What an operator can do about a failed command; null when its own words say enough. */
export function fixOf(result: ProcessResult): string | null {
  const started = result.ended.how !== "notStarted";
  return fixFor(result.command, { started, output: result.stderrTail });
}
