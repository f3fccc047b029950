/**
 * The virtual IP address as a lease: what the agent needs of it, and every decision about it.
 *
 * The kernel removes the address by itself when nobody renews it, so a leader that is dead or frozen
 * loses it without being asked. That only helps when two things hold: a leader renews only on the word
 * of a quorum that is fresh, and a new leader waits until the old lease must have run out.
 */

/** The address of the cluster on this host. `real/address.ts` fits, and `noVirtualIp`. */
export interface VirtualIp {
  /** As it is configured; empty for none. */
  readonly address: string;
  /** The kernel removes it so long after its last renewal; 0 where there is none. */
  readonly leaseMs: number;
  /** Before anything else at the start: an earlier run of this agent may have left the address. */
  removeAtBoot(): Promise<void>;
  /**
   * Waits for the old leader's lease and looks for a duplicate while the server is being opened, and
   * adds the address once `opened` is fulfilled. Rejected: this host does not have the address.
   */
  take(claim: Claim): Promise<void>;
  /** Lengthens the lease when the leadership was confirmed anew; returns at once, never piles up. */
  renew(): void;
  /** Removes the address and makes sure that it is gone. May be called at any time and twice. */
  drop(): Promise<void>;
  /** Tells the neighbours again where the address is, after a partition has healed. */
  announce(): void;
  /** True from the taking until the lease or the leadership is over. */
  holds(): boolean;
}

/** What a winner knows when it wants the address. */
export interface Claim {
  /** Silence of the old leader, the shortest that a voter saw; null when one of them cannot tell. */
  readonly oldLeaderSilentMs: number | null;
  /** The old leader said that it has removed the address. */
  readonly released: boolean;
  /** Fulfilled when the server is open and verified. */
  readonly opened: Promise<unknown>;
  /** Aborted when the leadership is over. */
  readonly signal: AbortSignal;
}

/** For a cluster without a virtual address: everything is done at once. */
export const noVirtualIp: VirtualIp = {
  address: "",
  leaseMs: 0,
  removeAtBoot: () => Promise.resolve(),
  take: async ({ opened }) => void await opened,
  renew: () => {},
  drop: () => Promise.resolve(),
  announce: () => {},
  holds: () => false,
};

/** The kernel removes an address up to so much late: it rounds its timers. */
export const kernelLateMs = 300;

/**
 * A word of the quorum that is older renews nothing. The followers count the leader's silence from
 * that word, and the lease of the address from the renewal: the two must not drift apart.
 */
export const confirmationAgeMsMax = 500;

/** How long a winner waits before the old leader's kernel must have removed the address. */
export function waitBeforeAddMs(
  claim: Pick<Claim, "oldLeaderSilentMs" | "released">,
  leaseMs: number,
): number {
  if (claim.released) return 0;
  // A voter that was only just started heard none: one may have renewed its address a moment ago.
  return Math.max(0, leaseMs + kernelLateMs - (claim.oldLeaderSilentMs ?? 0));
}

/** How sure this node is to lead just now. */
export type Standing = "fresh" | "aging" | "over";

export interface Leadership {
  /** When the newest heartbeat round was sent that a quorum answered; -Infinity: does not lead. */
  readonly confirmedAt: number;
  /** A leader that no quorum answered for so long has lost its leadership. */
  readonly leaseMs: number;
}

/** Judges a leadership at the time `now`, of the same clock as `confirmedAt`. */
export function standing({ confirmedAt, leaseMs }: Leadership, now: number): Standing {
  const ageMs = now - confirmedAt;
  if (ageMs >= leaseMs) return "over";
  return ageMs <= confirmationAgeMsMax ? "fresh" : "aging";
}

/**
 * When the newest confirmed round was sent, from the end of the leadership lease. A node that nobody
 * can replace needs no lease (its end is Infinity), so it is confirmed all the time.
 */
export function confirmedAt(
  lease: { readonly endAt: number; readonly leaseMs: number },
  now: number,
): number {
  return lease.endAt === Infinity ? now : lease.endAt - lease.leaseMs;
}

export interface Renewals {
  /** The confirmation that the last renewal was made for. */
  readonly renewedFor: number;
  /** When the last renewal began. */
  readonly renewedAt: number;
  readonly underWay: boolean;
  /** Lease of the address. */
  readonly addressMs: number;
}

/** Rounds that come faster than this part of the lease do not each start a command. */
const renewalsPerLeaseMax = 8;

/** Is a renewal due? Only on a new and fresh word of the quorum, and one at a time. */
export function renewalDue(renewals: Renewals, leadership: Leadership, now: number): boolean {
  if (renewals.underWay || leadership.confirmedAt <= renewals.renewedFor) return false;
  if (now - renewals.renewedAt < renewals.addressMs / renewalsPerLeaseMax) return false;
  return standing(leadership, now) === "fresh";
}

/**
 * What the return of a command that added or renewed the address means. Such a command re-creates an
 * absent address, and it may have been delayed by a freeze of the whole host: then the address is
 * back although nobody wants it, and must go again.
 */
export function afterCommand(
  seen: { readonly wanted: boolean; readonly standing: Standing },
): "keep" | "remove" {
  return seen.wanted && seen.standing !== "over" ? "keep" : "remove";
}

/** When the neighbours are told after a take-over: a switch or a lossy link may miss the first. */
const announceAtMs: readonly number[] = [0, 200, 1_000, 3_000, 10_000];
/** From then on they are told so often: a partition between clients and this host heals unseen. */
const announceEveryMs = 30_000;

/** How long after announcement number `count` (the first is 0) the next one follows. */
export function nextAnnouncementMs(count: number): number {
  const from = announceAtMs[count];
  const to = announceAtMs[count + 1];
  return from === undefined || to === undefined ? announceEveryMs : to - from;
}
