/** Mistakes that can be planted in the model's servers and procedures; each must be found. */
export interface Flaws {
  /** A restarted server takes writes at once. */
  readonly bootsOpen: boolean;
  /** A restarted server goes on replicating from its old source. */
  readonly bootsReplicating: boolean;
  /** The vote does not stop the receiver. */
  readonly freezeLeavesReceiver: boolean;
  /** A position is what was executed; what was only received is left out. */
  readonly heldIsExecuted: boolean;
  /** A position is read first and the receiver stopped afterwards. */
  readonly freezeReadsFirst: boolean;
  /** Semi-sync goes off while clients still wait, which tells them OK. */
  readonly fenceReleasesFirst: boolean;
  /** A fence that takes too long ends in a clean stop, which tells waiting clients OK. */
  readonly fenceStopsCleanly: boolean;
  /** The fence does not wait for the end of a statement that is under way. */
  readonly fenceForgetsLate: boolean;
  /** The fence ends nothing that runs in the leadership's scope. */
  readonly fenceKeepsScope: boolean;
  /** A server is opened with semi-sync switched off. */
  readonly opensWithoutSemiSync: boolean;
  /** A server is opened before what it received is applied. */
  readonly opensBeforeApplied: boolean;
  /** A planned close tells its position while commits wait. */
  readonly closeReadsEarly: boolean;
  /** A fence says that it is done before it has begun. */
  readonly fenceLies: boolean;
  /** Only super_read_only is switched off, and read_only is not looked at. */
  readonly opensHalf: boolean;
  /** The source is changed beside a stopped applier. */
  readonly changesBesideStopped: boolean;
  /** The number of acknowledgements is neither changed nor proven when a vote moves. */
  readonly arrangesNothing: boolean;
  /** A removal ends the connection of the replica and leaves its account open. */
  readonly removesWithoutLock: boolean;
  /** Nothing is committed to release commits whose acknowledgement was lost. */
  readonly neverNudges: boolean;
  /** A promotion goes on against another run of the server, as a reconnecting pool would. */
  readonly reconnects: boolean;
  /** sync_binlog is not 1: a loss of power takes the last commits of a leader out of its binary log. */
  readonly binlogUnsynced: boolean;
  /** What a follower's server committed by itself is a part of its position. */
  readonly errantCounts: boolean;
  /** A leader that steps down keeps the virtual address until its lifetime is over. */
  readonly addressKept: boolean;
  /** The virtual address is renewed without a fresh word of a majority. */
  readonly addressUnverified: boolean;
  /** A winner does not wait for the lease of the old leader's address. */
  readonly addressTakenAtOnce: boolean;
  /** An address that a late command brought back is not removed again. */
  readonly addressBroughtBack: boolean;
}

export const noFlaws: Flaws = {
  bootsOpen: false,
  bootsReplicating: false,
  freezeLeavesReceiver: false,
  heldIsExecuted: false,
  freezeReadsFirst: false,
  fenceReleasesFirst: false,
  fenceStopsCleanly: false,
  fenceForgetsLate: false,
  fenceKeepsScope: false,
  opensWithoutSemiSync: false,
  opensBeforeApplied: false,
  closeReadsEarly: false,
  fenceLies: false,
  opensHalf: false,
  changesBesideStopped: false,
  arrangesNothing: false,
  removesWithoutLock: false,
  neverNudges: false,
  reconnects: false,
  binlogUnsynced: false,
  errantCounts: false,
  addressKept: false,
  addressUnverified: false,
  addressTakenAtOnce: false,
  addressBroughtBack: false,
};
