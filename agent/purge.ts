/**
 * Removes binary logs that no member needs any more: on the leader, and on each other node, as a
 * replica's own logs grow as fast. Every node decides for itself by what all members say about
 * themselves; where one does not answer, everything is kept.
 *
 * What may go is first noted and goes a whole interval later. By then what the members executed is on
 * their disks too, and a node that is just being copied had time to join.
 */
import { type MemberPosition, planPurge, type PurgePlan } from "../mysql/plan_purge.ts";
import type { ServerFacts } from "../mysql/facts.ts";
import { messageOf } from "../mysql/message_of.ts";
import type { Membership } from "../raft/types.ts";
import type { Administration, Clock, Log, Peers } from "./ports.ts";
import { decodeNodeStatus } from "./wire_status.ts";

export interface PurgeOptions {
  readonly self: string;
  readonly intervalMs: number;
  /** How long one member may take to answer. */
  readonly requestMs: number;
  readonly clock: Clock;
  readonly peers: Peers;
  readonly administration: Administration;
  readonly log: Log;
  readonly enabled: () => boolean;
  readonly membership: () => Membership | null;
  /** The newest facts of the own server; null while it does not answer. */
  readonly facts: () => ServerFacts | null;
  /** Transactions that only this server has. */
  readonly errant: () => string;
}

/** What one member said. */
interface Asked extends MemberPosition {
  /** A copy of its server is being made, or of another server for it. */
  readonly copying: boolean;
}

/** After a copy was made, the node that got it may need some time to join. */
const joinMs = 3_600_000;

/** What is said of a member that did not answer is not kept longer than that after it does. */
const lookAgainMs = 5_000;

/** The rounds of one node. */
export class PurgeRounds {
  readonly #options: PurgeOptions;
  #held: string | null = null;
  /** The member that said nothing, where that is what is in the way. */
  #silent: string | null = null;
  /** The target of the last round: it has waited for one interval when it is still right. */
  #ripe: string | null = null;
  #copiedAt = -Infinity;
  #cancel: () => void = () => {};
  #cancelLook: () => void = () => {};
  #stopped = false;

  constructor(options: PurgeOptions) {
    this.#options = options;
  }

  /** What is in the way of files that could go; null when nothing is. */
  get held(): string | null {
    return this.#held;
  }

  start(): void {
    this.#startRounds();
    this.#startLooks();
  }

  #startLooks(): void {
    this.#cancelLook = this.#options.clock.after(lookAgainMs, () => {
      this.lookAgain().finally(() => {
        if (!this.#stopped) this.#startLooks();
      });
    });
  }

  #startRounds(): void {
    const { clock, intervalMs, log } = this.#options;
    this.#cancel = clock.after(intervalMs, () => {
      this.round().catch((error) => {
        const because = messageOf(error);
        log.write("warning", `Cannot remove binary logs: ${because}`, {});
      }).finally(() => {
        if (!this.#stopped) this.#startRounds();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#cancelLook();
  }

  /** Forgets a silent member that answers again or is gone. What may go is for the next round to say. */
  async lookAgain(): Promise<void> {
    const id = this.#silent;
    if (id === null) return;
    const members = this.#options.membership()?.members ?? [];
    const gone = !members.some((member) => member.id === id);
    const answers = gone || (await this.#askMember(id)).executed !== null;
    if (answers && this.#silent === id) this.#keep(null);
  }

  /** Looks once what may go, and removes what might have gone at the last look already. */
  async round(): Promise<void> {
    const { enabled, membership, facts, log, administration } = this.#options;
    const own = facts();
    const members = membership();
    const member = members?.members.some(({ id }) => id === this.#options.self) === true;
    if (!enabled() || members === null || !member || own === null) return this.#keep(null);
    const asked = await this.#ask(members, own);
    if (asked.some(({ copying }) => copying)) this.#copiedAt = this.#options.clock.now();
    const logs = await administration.binaryLogs();
    const plan = planPurge({
      logs,
      purged: own.purged,
      errant: this.#options.errant(),
      members: asked,
    });
    if (plan.kind !== "purge") {
      const because = heldBy(plan);
      const silent = asked.find(({ executed }) => executed === null);
      return this.#keep(because, because === null ? null : silent?.id);
    }
    if (this.#options.clock.now() - this.#copiedAt < joinMs) {
      return this.#keep("a copy of a server was made lately, and its node may still need them");
    }
    const order = logs.map(({ name }) => name);
    const ripe = order.indexOf(this.#ripe ?? "");
    const due = Math.min(ripe, order.indexOf(plan.to));
    this.#held = null;
    this.#silent = null;
    this.#ripe = plan.to;
    if (due <= 0) return;
    const to = order[due] ?? "";
    await administration.purge(to);
    const bytes = logs.slice(0, due).reduce((sum, file) => sum + file.bytes, 0);
    log.write("info", `Removed ${due} binary logs before ${to}: no member needs them`, { bytes });
  }

  #keep(because: string | null, silent: string | null = null): void {
    if (because !== null && because !== this.#held) {
      this.#options.log.write("warning", `Binary logs are kept: ${because}`, {});
    }
    this.#held = because;
    this.#silent = silent;
    this.#ripe = null;
  }

  /** All members that have data, this node included. */
  async #ask(membership: Membership, own: ServerFacts): Promise<readonly Asked[]> {
    const withData = membership.members.filter(({ kind }) => kind !== "witness");
    return await Promise.all(withData.map(({ id }) => {
      if (id !== this.#options.self) return this.#askMember(id);
      return { id, executed: own.executed, because: "", copying: false };
    }));
  }

  async #askMember(id: string): Promise<Asked> {
    const { peers, requestMs } = this.#options;
    const unknown = (because: string) => ({ id, executed: null, because, copying: false });
    const question = { method: "node.status", params: {} };
    const answer = await peers.call(id, question, { deadlineMs: requestMs });
    if ("failed" in answer) return unknown(answer.failed.because);
    const decoded = decodeNodeStatus(answer.ok);
    if (decoded.kind === "refused") return unknown(decoded.because);
    const { mysql, backup } = decoded.status;
    const copying = backup.state !== "NONE" && backup.state !== "";
    if (mysql.state !== "ALIVE") return { ...unknown("its MySQL does not answer"), copying };
    return { id, executed: mysql.executed, because: "", copying };
  }
}

function heldBy(plan: Exclude<PurgePlan, { readonly kind: "purge" }>): string | null {
  return plan.kind === "held" ? plan.because : null;
}
