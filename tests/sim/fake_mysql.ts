/**
 * A model of one MySQL server: what was measured on real ones, and nothing friendlier. Commits that
 * wait for an acknowledgement are in the binary log (replicas may get them) but not yet executed;
 * super_read_only hangs behind them; every way to end the wait has its own consequences.
 */
import { MARKER, type Transaction, TransactionSet } from "./transactions.ts";
import type { Flaws } from "./flaws.ts";
import type { Connection } from "./replication.ts";

/** One client's connection with at most one write in it. */
export interface Session {
  /** When the server accepted it. */
  readonly born: number;
  /** When the client sent its write. */
  readonly began: number;
  phase: "executing" | "blocked" | "waiting" | "over";
  /** The write, once it has its number. */
  transaction: Transaction | null;
  /** Told to the client. refused: certainly not committed. */
  readonly done: (outcome: "acknowledged" | "refused" | "unknown") => void;
}

export interface RelaySettings {
  /** relay_log_recovery: a restart throws away what was received and not yet applied. */
  readonly relayLogRecovery: boolean;
  /** sync_relay_log=1: a power loss keeps what was received. */
  readonly syncRelayLog: boolean;
}

/** What a server replicates from, and the account that it logs in with there. */
export interface Receiver {
  readonly source: number | null;
  readonly account: string;
  readonly running: boolean;
}

/** How many commits a server loses at most that does not sync them. */
const unsyncedMax = 3;

const nobody: Receiver = { source: null, account: "", running: false };

export class FakeServer {
  readonly index: number;
  readonly settings: RelaySettings;
  /** Name in transactions; a rebuilt server has a new one. */
  origin: string;
  alive = true;
  /** The process exists and does nothing. */
  hung = false;
  /** Statements of the agent take up to this long; 0 when the server is quick. */
  statementMs = 0;
  process = 1;
  boot = 1;
  /** sync_relay_log as it is set now; a restart sets it as its option file has it. */
  syncsRelayLog: boolean;
  /** Since the host began, something was received while that was off: it may be in memory only. */
  unsynced = false;

  binlog: Transaction[] = [];
  /** How much of the binary log is executed; the rest waits for acknowledgements. */
  committed = 0;
  executed = new TransactionSet();
  /** Executed and received together. */
  held = new TransactionSet();
  /** Replication accounts that nobody can log in with here. */
  readonly locked = new Set<string>();

  readOnly = true;
  superReadOnly = true;
  /** super_read_only was requested and hangs behind waiting commits. */
  superPending = false;
  semiSync = { on: false, k: 0 };
  /** Where in the binary log each replica's acknowledgements are. */
  readonly #acknowledged = new Map<number, number>();
  readonly #waiting: { readonly index: number; readonly session: Session | null }[] = [];
  readonly sessions = new Set<Session>();
  /** Statements of an agent that were sent and have not ended; a dead agent's still land. */
  inFlight = 0;

  relay: Transaction[] = [];
  applied = 0;
  applierRunning = false;
  receiver: Receiver = nobody;
  /** rpl_semi_sync_replica_enabled; a running receiver keeps what it started with. */
  acknowledges = false;
  /** Own connection as a replica. */
  upstream: Connection | null = null;
  /** Connections of replicas. */
  readonly downstream = new Set<Connection>();

  /** Own commits, the newest ones, that were born here while the node did not lead; its agent knows. */
  errant = 0;
  /** Bookkeeping of the observer, unknown to MySQL: the term that this process was opened for. */
  openedFor: number | null = null;
  onAppended: () => void = () => {};
  /** A new transaction of this server got its number. */
  onNumbered: (transaction: Transaction) => void = () => {};
  onAcknowledged: (session: Session) => void = () => {};
  readonly #flaws: Flaws;

  constructor(index: number, origin: string, given: { settings: RelaySettings; flaws: Flaws }) {
    this.index = index;
    this.origin = origin;
    this.settings = given.settings;
    this.syncsRelayLog = given.settings.syncRelayLog;
    this.#flaws = given.flaws;
  }

  get commitsWait(): boolean {
    return this.committed < this.binlog.length;
  }

  /** Clients can begin a write now. */
  get writable(): boolean {
    return this.alive && !this.readOnly && !this.superReadOnly && !this.superPending;
  }

  /** A client says COMMIT. */
  commit(session: Session): void {
    if (this.readOnly || this.superReadOnly) {
      this.#finish(session, "refused");
    } else if (this.superPending) {
      session.phase = "blocked";
    } else {
      session.phase = "waiting";
      session.transaction = this.#numbered();
      this.#append(session.transaction, session);
    }
  }

  /** The agent's own commit: the marker of a term. Returns its place in the binary log. */
  commitMarker(term: number): number {
    this.#append({ origin: MARKER, number: term }, null);
    return this.binlog.length;
  }

  /** The agent's own empty transaction. */
  commitEmpty(): number {
    this.#append(this.#numbered(), null);
    return this.binlog.length;
  }

  /** FLUSH TABLES on a replica: it gets a number, super_read_only or not. */
  commitLocally(): void {
    if (!this.alive || this.hung || this.semiSync.on || this.commitsWait) return;
    this.errant++;
    this.commitEmpty();
  }

  /** ALTER USER ... ACCOUNT LOCK: it holds where it is executed. */
  commitLock(account: string): number {
    this.#append({ ...this.#numbered(), locks: account }, null);
    return this.binlog.length;
  }

  /** The applier commits a received transaction; log_replica_updates is on. */
  apply(transaction: Transaction): void {
    if (!this.executed.has(transaction) && !this.#isWaiting(transaction)) {
      this.#append(transaction, null);
    }
  }

  receive(transaction: Transaction): void {
    this.relay.push(transaction);
    this.held.add(transaction);
  }

  setSemiSync(on: boolean, k: number): void {
    if (on && !this.semiSync.on) this.#acknowledged.clear();
    // wait_for_replica_count = 0 silently becomes 1.
    this.semiSync = { on, k: Math.max(1, k) };
    this.#release();
  }

  /** A replica says that it has the binary log up to `place`. */
  acknowledge(replica: number, place: number): void {
    const before = this.#acknowledged.get(replica) ?? 0;
    if (place > before) this.#acknowledged.set(replica, place);
    this.#release();
  }

  requestSuperReadOnly(): void {
    this.superPending = !this.superReadOnly;
    this.#settleSuperReadOnly();
  }

  /** The pending request is killed: what stood behind it goes on. */
  cancelSuperReadOnly(): void {
    this.superPending = false;
    for (const session of this.sessions) if (session.phase === "blocked") this.commit(session);
  }

  /** super_read_only off; read_only stays, so only the agent can write. */
  openForMarker(): void {
    this.superReadOnly = false;
    this.superPending = false;
  }

  openForClients(): void {
    this.superReadOnly = false;
    this.readOnly = false;
  }

  /** KILL of every client session that is not younger than `bornUntil`. */
  killSessions(bornUntil: number): void {
    for (const session of [...this.sessions]) {
      if (session.born > bornUntil) continue;
      this.#finish(session, session.phase === "waiting" ? "unknown" : "refused");
    }
  }

  /**
   * The process ends. A clean stop tells waiting clients OK, which is why a leader's server is
   * never stopped that way before it is fenced.
   */
  die(how: "killed" | "stopped" | "host"): void {
    if (!this.alive) return;
    if (how === "stopped") this.setSemiSync(false, 0);
    for (const session of [...this.sessions]) this.#finish(session, "unknown");
    if (how === "host" && this.#flaws.binlogUnsynced) this.#loseTail();
    this.alive = false;
    this.hung = false;
    this.openedFor = null;
    this.upstream = null;
    this.downstream.clear();
  }

  /** Crash recovery commits the flushed tail; `relayKept` is how much of the relay log is still there. */
  start(relayKept: number): void {
    this.alive = true;
    this.#resetSettings();
    this.process++;
    this.committed = this.binlog.length;
    for (const transaction of this.binlog) this.#execute(transaction);
    this.#waiting.length = 0;
    this.inFlight = 0;
    this.#acknowledged.clear();
    this.relay = this.relay.slice(this.applied, Math.max(this.applied, relayKept));
    this.applied = 0;
    this.held = this.executed.clone();
    for (const transaction of this.relay) this.held.add(transaction);
    this.semiSync = { on: false, k: 0 };
    this.superPending = false;
    this.superReadOnly = !this.#flaws.bootsOpen;
    this.readOnly = !this.#flaws.bootsOpen;
    this.applierRunning = this.#flaws.bootsReplicating;
    const running = this.#flaws.bootsReplicating && this.receiver.source !== null;
    this.receiver = { ...this.receiver, running };
  }

  /** CHANGE REPLICATION SOURCE. With a stopped applier it throws received transactions away. */
  changeSource(source: number | null, account = ""): void {
    this.receiver = { source, account, running: false };
    if (this.applierRunning) return;
    this.forgetReceived(this.applied);
  }

  /** Drops the relay log behind `kept` entries. */
  forgetReceived(kept: number): void {
    this.relay = this.relay.slice(0, kept);
    this.held = this.executed.clone();
    for (const transaction of this.relay) this.held.add(transaction);
  }

  /** The data folder is replaced by a copy of what the donor has executed; the server is new. */
  rebuildFrom(donor: FakeServer): void {
    this.origin = `${this.origin}r`;
    this.errant = 0;
    this.unsynced = false;
    this.#resetSettings();
    this.binlog = donor.binlog.slice(0, donor.committed);
    this.relay = [];
    this.applied = 0;
    this.executed = donor.executed.clone();
    this.locked.clear();
    for (const account of donor.locked) this.locked.add(account);
    this.receiver = nobody;
    this.acknowledges = false;
  }

  /** The host boots: the unsynced part of the relay log was lost by then. */
  reboot(): void {
    this.boot++;
    this.unsynced = false;
    this.#resetSettings();
  }

  #resetSettings(): void {
    this.syncsRelayLog = this.settings.syncRelayLog;
  }

  #numbered(): Transaction {
    let number = this.executed.count(this.origin);
    for (let index = this.committed; index < this.binlog.length; index++) {
      if (this.binlog[index]?.origin === this.origin) number++;
    }
    const transaction = { origin: this.origin, number: number + 1 };
    this.onNumbered(transaction);
    return transaction;
  }

  /** What it wrote itself and had not synced; what it replicated would come again. */
  #loseTail(): void {
    for (let lost = 0; lost < unsyncedMax && this.binlog.at(-1)?.origin === this.origin; lost++) {
      this.binlog.pop();
    }
    this.executed = new TransactionSet();
    for (const transaction of this.binlog) this.executed.add(transaction);
  }

  #isWaiting(transaction: Transaction): boolean {
    return this.binlog.slice(this.committed).some((entry) =>
      entry.origin === transaction.origin && entry.number === transaction.number
    );
  }

  #append(transaction: Transaction, session: Session | null): void {
    this.binlog.push(transaction);
    this.#waiting.push({ index: this.binlog.length, session });
    this.#release();
    this.onAppended();
  }

  /** Commits the part of the tail that is acknowledged, or all of it without semi-sync. */
  #release(): void {
    const place = this.semiSync.on ? this.#acknowledgedPlace() : this.binlog.length;
    if (place <= this.committed) return;
    for (let index = this.committed; index < place; index++) {
      const transaction = this.binlog[index] as Transaction;
      this.#execute(transaction);
      this.held.add(transaction);
    }
    this.committed = place;
    for (let first = this.#waiting[0]; first && first.index <= place; first = this.#waiting[0]) {
      this.#waiting.shift();
      if (first.session?.phase === "waiting") this.#finish(first.session, "acknowledged");
    }
    this.#settleSuperReadOnly();
  }

  #execute(transaction: Transaction): void {
    this.executed.add(transaction);
    if (transaction.locks !== undefined) this.locked.add(transaction.locks);
  }

  #acknowledgedPlace(): number {
    const places = [...this.#acknowledged.values()].sort((left, right) => right - left);
    return Math.min(places[this.semiSync.k - 1] ?? 0, this.binlog.length);
  }

  #settleSuperReadOnly(): void {
    if (!this.superPending || this.commitsWait) return;
    this.superPending = false;
    this.superReadOnly = true;
    this.readOnly = true;
    for (const session of [...this.sessions]) {
      if (session.phase === "blocked") this.#finish(session, "refused");
    }
  }

  #finish(session: Session, outcome: "acknowledged" | "refused" | "unknown"): void {
    if (session.phase === "over") return;
    session.phase = "over";
    this.sessions.delete(session);
    if (outcome === "acknowledged") this.onAcknowledged(session);
    session.done(outcome);
  }
}
