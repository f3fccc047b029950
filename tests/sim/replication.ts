/**
 * Streams between servers: a receiver connects to its source, gets the binary log (waiting commits
 * included), and acknowledges. A lost acknowledgement is never sent again.
 */
import type { Clock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import type { FakeServer } from "./fake_mysql.ts";
import type { Network } from "./network.ts";

export interface Connection {
  readonly source: FakeServer;
  readonly replica: FakeServer;
  readonly account: string;
  /** The semi-sync replica half as it was when the receiver started. */
  readonly acknowledges: boolean;
  /** The end of the source's binary log when the connection was made. */
  readonly endAtStart: number;
  open: boolean;
  /** How much of the source's binary log this replica was sent. */
  cursor: number;
  pumping: boolean;
  /** Since when nothing gets through; null while it does. */
  silentSince: number | null;
}

const retryMs = 30;
const appliedAtOnceMax = 16;

export class Replication {
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #dice: Dice;
  readonly #servers: readonly FakeServer[];
  /** How long one batch of the applier takes, by server. */
  readonly applyMs: number[];
  /** replica_net_timeout. */
  netTimeoutMs = 1500;
  onConnected: (connection: Connection) => void = () => {};
  readonly #applying = new Set<FakeServer>();
  readonly #connecting = new Set<FakeServer>();

  constructor(
    servers: readonly FakeServer[],
    world: { readonly clock: Clock; readonly network: Network; readonly dice: Dice },
  ) {
    this.#servers = servers;
    this.#clock = world.clock;
    this.#network = world.network;
    this.#dice = world.dice;
    this.applyMs = servers.map(() => this.#dice.pick([0.5, 0.5, 2, 5, 30]));
    for (const server of servers) server.onAppended = () => this.#appended(server);
  }

  /** START REPLICA IO_THREAD. */
  startReceiver(replica: FakeServer): void {
    replica.receiver = { ...replica.receiver, running: true };
    this.#connectAfter(replica, this.#dice.between(0.5, 3));
  }

  /** STOP REPLICA IO_THREAD. Acknowledgements that are on their way still arrive. */
  stopReceiver(replica: FakeServer): void {
    replica.receiver = { ...replica.receiver, running: false };
    this.drop(replica.upstream);
  }

  startApplier(replica: FakeServer): void {
    replica.applierRunning = true;
    this.#applySoon(replica);
  }

  drop(connection: Connection | null): void {
    if (connection === null) return;
    connection.open = false;
    connection.source.downstream.delete(connection);
    if (connection.replica.upstream === connection) connection.replica.upstream = null;
  }

  /** Call before the server dies: both ends notice a closed socket. */
  dropAll(server: FakeServer): void {
    this.drop(server.upstream);
    for (const connection of [...server.downstream]) this.drop(connection);
  }

  /** Looked at now and then: timeouts and reconnects. */
  maintain(replica: FakeServer): void {
    if (!replica.alive || replica.hung) return;
    this.#applySoon(replica);
    const connection = replica.upstream;
    if (connection === null) {
      if (replica.receiver.running) this.#connectAfter(replica, this.#dice.between(0, 600));
      return;
    }
    const [from, to] = [connection.source.index, replica.index];
    if (!this.#network.isCut(from, to) && !this.#network.isCut(to, from)) {
      connection.silentSince = null;
    } else {
      connection.silentSince ??= this.#clock.now;
      if (this.#clock.now - connection.silentSince > this.netTimeoutMs) this.drop(connection);
    }
  }

  #connectAfter(replica: FakeServer, delayMs: number): void {
    if (this.#connecting.has(replica)) return;
    this.#connecting.add(replica);
    this.#clock.after(delayMs, () => {
      this.#connecting.delete(replica);
      this.#connect(replica);
    });
  }

  #connect(replica: FakeServer): void {
    const source = this.#servers[replica.receiver.source ?? -1];
    if (!source || !replica.alive || !replica.receiver.running || replica.upstream) return;
    const [from, to] = [source.index, replica.index];
    const cut = this.#network.isCut(from, to) || this.#network.isCut(to, from);
    const { account } = replica.receiver;
    if (cut || !source.alive || source.hung || source.locked.has(account)) return;
    const connection: Connection = {
      source,
      replica,
      account,
      acknowledges: replica.acknowledges,
      endAtStart: source.binlog.length,
      open: true,
      cursor: 0,
      pumping: false,
      silentSince: null,
    };
    replica.upstream = connection;
    source.downstream.add(connection);
    this.onConnected(connection);
    this.#pump(connection);
  }

  #appended(source: FakeServer): void {
    for (const connection of source.downstream) this.#pump(connection);
  }

  #pump(connection: Connection): void {
    const end = connection.source.binlog.length;
    if (connection.pumping || connection.cursor >= end) return;
    connection.pumping = true;
    const delayMs = this.#network.delay(connection.source.index, connection.replica.index);
    this.#clock.after(delayMs, () => this.#deliver(connection, end));
  }

  #deliver(connection: Connection, end: number): void {
    const { source, replica } = connection;
    if (!connection.open) return;
    if (replica.hung || this.#network.isCut(source.index, replica.index)) {
      this.#clock.after(retryMs, () => this.#deliver(connection, end));
      return;
    }
    connection.pumping = false;
    let received = 0;
    for (; connection.cursor < end; connection.cursor++) {
      const transaction = source.binlog[connection.cursor];
      if (!transaction || replica.held.has(transaction)) continue;
      replica.receive(transaction);
      received++;
    }
    if (received > 0) this.#applySoon(replica);
    if (received > 0 && connection.acknowledges) this.#acknowledgeLater(connection, end);
    this.#pump(connection);
  }

  #acknowledgeLater(connection: Connection, end: number): void {
    const { source, replica } = connection;
    const process = source.process;
    const arrive = () => {
      if (!source.alive || source.process !== process) return;
      if (source.hung || this.#network.isCut(replica.index, source.index)) {
        // A closed connection repeats nothing: this acknowledgement is lost for good.
        if (connection.open) this.#clock.after(retryMs, arrive);
        return;
      }
      source.acknowledge(replica.index, end);
    };
    this.#clock.after(this.#network.delay(replica.index, source.index), arrive);
  }

  #applySoon(replica: FakeServer): void {
    if (this.#applying.has(replica) || replica.applied >= replica.relay.length) return;
    this.#applying.add(replica);
    const process = replica.process;
    const delayMs = (this.applyMs[replica.index] ?? 1) * this.#dice.between(0.5, 1.5);
    this.#clock.after(delayMs, () => {
      this.#applying.delete(replica);
      if (!replica.alive || replica.process !== process || replica.hung) return;
      this.#apply(replica);
    });
  }

  #apply(replica: FakeServer): void {
    if (!replica.applierRunning) return;
    const end = Math.min(replica.applied + appliedAtOnceMax, replica.relay.length);
    for (; replica.applied < end; replica.applied++) {
      const transaction = replica.relay[replica.applied];
      if (transaction) replica.apply(transaction);
    }
    this.#applySoon(replica);
  }
}
