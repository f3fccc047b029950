/** What faults and operators do to hosts: crash, restart, cut, freeze, rebuild. */
import type { HostAddress } from "./address.ts";
import type { SimAgent } from "./agent.ts";
import type { Clock } from "./clock.ts";
import type { Durable } from "../../raft/types.ts";
import type { Dice } from "./dice.ts";
import type { FakeServer } from "./fake_mysql.ts";
import type { Fault } from "./faults.ts";
import type { Network } from "./network.ts";
import type { LateAnswers } from "./late_answers.ts";
import { Operators } from "./operators.ts";
import type { Replication } from "./replication.ts";
import type { HookPoint } from "./surroundings.ts";

export interface Cluster {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly network: Network;
  readonly lateAnswers: LateAnswers;
  readonly servers: readonly FakeServer[];
  readonly replication: Replication;
  readonly agents: readonly SimAgent[];
  readonly addresses: readonly HostAddress[];
  readonly trace: ((index: number, line: () => string) => void) | null;
}

const supervisorMsMax = 400;

export class Hosts {
  readonly #cluster: Cluster;
  /** Hosts without power. */
  readonly down = new Set<number>();
  readonly #lost = new Set<number>();
  readonly #aimed: readonly Fault[];
  readonly #passes = new Map<Fault, number>();
  readonly #operators: Operators;
  /** Faults are over: nothing is hit any more, everything comes back. */
  #healed = false;

  constructor(cluster: Cluster, faults: readonly Fault[]) {
    this.#cluster = cluster;
    this.#operators = new Operators(cluster.agents, cluster.dice);
    this.#aimed = faults.filter((fault) => fault.when.on !== null);
    for (const fault of faults) {
      if (fault.when.on === null) cluster.clock.after(fault.when.at, () => this.#strike(fault, 0));
    }
  }

  /** A node passes a point of interest: an aimed fault may strike right now. */
  hook(point: HookPoint, index: number): void {
    for (const fault of this.#aimed) {
      if (fault.when.on !== point || this.#cluster.clock.now < fault.when.at) continue;
      const passes = (this.#passes.get(fault) ?? 0) + 1;
      this.#passes.set(fault, passes);
      if (passes !== fault.when.count) continue;
      const { afterMs } = fault.when;
      if (afterMs === undefined) this.#strike(fault, index);
      else this.#cluster.clock.after(afterMs, () => this.#strike(fault, index));
    }
  }

  /** Ends every fault and brings everything back, except hosts that are `lost` for good. */
  heal(lost: readonly number[]): void {
    const { network, agents, servers, clock } = this.#cluster;
    this.#healed = true;
    network.heal();
    for (const index of lost) {
      this.#lost.add(index);
      this.#powerLoss(index, Infinity);
    }
    for (const agent of agents) {
      if (lost.includes(agent.index)) continue;
      agent.diskMs = 2;
      agent.pausedUntil = Math.min(agent.pausedUntil, clock.now);
      this.down.delete(agent.index);
      const server = servers[agent.index];
      if (server) {
        server.hung = false;
        server.statementMs = 0;
      }
      this.#powerOn(agent.index);
    }
    this.enableAll();
  }

  /** Operators switch on what was switched off; an agent that is still down is looked at again. */
  enableAll(): void {
    this.#operators.enableAll();
    this.#cluster.clock.after(500, () => this.enableAll());
  }

  /** SIGKILL, or SIGTERM for a clean stop; the supervisor starts the server again. */
  stopServer(index: number, how: "killed" | "stopped"): void {
    this.#serverDies(index, how);
    this.#serverReturns(index, this.#cluster.dice.between(20, supervisorMsMax));
  }

  /** Was this node told that it is switched off? */
  isOff(index: number): boolean {
    return this.#operators.off.has(index);
  }

  /** An operator replaces the copy of a node by a copy of another one. */
  rebuild(index: number, donor: FakeServer): void {
    const { servers, agents } = this.#cluster;
    const server = servers[index] as FakeServer;
    const agent = agents[index] as SimAgent;
    this.#note(index, "operator rebuilds this node");
    agent.crash();
    this.#serverDies(index, "killed");
    server.rebuildFrom(donor);
    const uncertain = "this copy was just rebuilt";
    agent.disk = { ...agent.disk, promised: "" as typeof agent.disk.promised, uncertain };
    this.#serverReturns(index, 50);
    // The real agent goes on answering all the while; here it only learns of its new copy.
    this.#agentReturns(index, 5);
  }

  /** An agent wrote its state down. */
  recorded(index: number, disk: Durable): void {
    this.#operators.recorded(index, disk);
    this.#cluster.lateAnswers.recorded(index, disk.term);
    // What is lost between a change of the setting and the next look nobody can know.
    const server = this.#cluster.servers[index];
    if (server && !server.syncsRelayLog && disk.forgets.host !== null) server.unsynced = true;
  }

  /** An operator's request was answered; an agent that was told to leave exits. */
  answered(index: number, request: number, refused: string | null): void {
    this.#operators.answered(index, request, refused);
    const forMs = this.#operators.awayMs(index, request);
    if (forMs === undefined) return;
    this.#cluster.clock.after(1, () => {
      this.#cluster.agents[index]?.crash();
      this.#agentReturns(index, forMs);
    });
  }

  #strike(fault: Fault, passing: number): void {
    if (this.#healed) return;
    const { agents, servers, network, replication, clock } = this.#cluster;
    const leader = agents.find((agent) => agent.state?.role === "leader")?.index ?? passing;
    const wanted = { leader, passing }[fault.node as string] ?? Number(fault.node);
    const index = wanted % servers.length;
    const agent = agents[index] as SimAgent;
    this.#note(index, `FAULT ${fault.kind} for ${Math.round(fault.forMs)} ms`);
    switch (fault.kind) {
      case "agentCrash":
        agent.crash();
        return this.#agentReturns(index, fault.forMs);
      case "agentPause":
        return agent.pause(fault.forMs);
      case "serverCrash":
        this.#serverDies(index, "killed");
        return this.#serverReturns(index, fault.forMs);
      case "serverHang":
        return this.#hang(index, fault.forMs);
      case "bothCrash":
        this.#serverDies(index, "killed");
        agent.crash();
        this.#serverReturns(index, fault.forMs * this.#cluster.dice.between(0.2, 1));
        return this.#agentReturns(index, fault.forMs);
      case "powerLoss":
        return this.#powerLoss(index, fault.forMs);
      case "powerLossAll":
        return servers.forEach((server) => this.#powerLoss(server.index, fault.forMs));
      case "isolate":
        return this.#isolate(index, fault.forMs, "all");
      case "isolateAgent":
        return this.#isolate(index, fault.forMs, "words");
      case "cutOneWay":
        return this.#cut([index, fault.other], fault.forMs, "all");
      case "slowStatements": {
        const server = servers[index] as FakeServer;
        server.statementMs = 1500;
        return clock.after(fault.forMs, () => server.statementMs = 0);
      }
      case "slowDisk":
        agent.diskMs = 150;
        return clock.after(fault.forMs, () => agent.diskMs = 2);
      case "slowNetwork":
        network.slowness++;
        return clock.after(fault.forMs, () => network.slowness = Math.max(0, network.slowness - 1));
      case "slowApplier": {
        const usual = replication.applyMs[index] ?? 1;
        replication.applyMs[index] = 200;
        return clock.after(fault.forMs, () => replication.applyMs[index] = usual);
      }
      case "localCommit":
        return this.#commitLocally(index);
      case "looseRelayLog": {
        const server = servers[index] as FakeServer;
        server.syncsRelayLog = false;
        return clock.after(fault.forMs, () => server.syncsRelayLog = server.settings.syncRelayLog);
      }
      case "lateAnswers":
        return this.#cluster.lateAnswers.strike(index, fault.forMs);
      case "takeover":
      case "leave":
      case "disable":
      case "enable":
      case "add":
      case "addIdle":
      case "remove":
        return this.#operators.say(fault.kind, index, fault.forMs);
    }
  }

  #commitLocally(index: number): void {
    const leads = this.#cluster.agents[index]?.state?.role === "leader";
    const server = this.#cluster.servers[index] as FakeServer;
    if (!leads && server.superReadOnly && !this.#cluster.agents[index]?.isWitness) {
      server.commitLocally();
    }
  }

  #isolate(index: number, forMs: number, what: "all" | "words"): void {
    for (const { index: other } of this.#cluster.servers) {
      this.#cut([index, other], forMs, what);
      this.#cut([other, index], forMs, what);
    }
  }

  #cut(way: readonly [number, number], forMs: number, what: "all" | "words"): void {
    const { network, clock } = this.#cluster;
    const [from, to] = way;
    if (from === to) return;
    network.cut(from, to, what);
    clock.after(forMs, () => network.mend(from, to, what));
  }

  #hang(index: number, forMs: number): void {
    const server = this.#cluster.servers[index] as FakeServer;
    const process = server.process;
    server.hung = server.alive;
    this.#cluster.clock.after(forMs, () => {
      if (server.process === process) server.hung = false;
    });
  }

  #powerLoss(index: number, forMs: number): void {
    const { agents, servers, addresses, clock, dice } = this.#cluster;
    const server = servers[index] as FakeServer;
    agents[index]?.crash();
    addresses[index]?.powerOff();
    this.#serverDies(index, "host");
    this.down.add(index);
    if (!server.settings.syncRelayLog || server.unsynced) {
      const unsynced = dice.below(server.relay.length - server.applied + 1);
      server.forgetReceived(server.relay.length - unsynced);
    }
    server.reboot();
    if (Number.isFinite(forMs)) clock.after(forMs, () => this.#powerBack(index));
  }

  #powerBack(index: number): void {
    if (this.#lost.has(index)) return;
    this.down.delete(index);
    this.#powerOn(index);
  }

  #powerOn(index: number): void {
    const { dice } = this.#cluster;
    this.#serverReturns(index, dice.between(10, supervisorMsMax));
    this.#agentReturns(index, dice.between(10, supervisorMsMax));
  }

  #serverDies(index: number, how: "killed" | "stopped" | "host"): void {
    const { servers, replication, clock, dice, agents } = this.#cluster;
    const server = servers[index] as FakeServer;
    if (!server.alive) return;
    this.#note(index, `server dies (${how})`);
    replication.dropAll(server);
    server.die(how);
    // The agent watches the process closely: death shows after a few milliseconds.
    clock.after(dice.between(1, 25), () => agents[index]?.lookNow());
  }

  #serverReturns(index: number, afterMs: number): void {
    const { servers, clock, agents, replication, dice } = this.#cluster;
    const server = servers[index] as FakeServer;
    clock.after(afterMs, () => {
      if (server.alive || this.down.has(index)) return;
      this.#note(index, "server starts");
      const kept = server.settings.relayLogRecovery ? server.applied : server.relay.length;
      server.start(kept);
      if (server.receiver.running) replication.startReceiver(server);
      clock.after(dice.between(5, 80), () => agents[index]?.lookNow());
    });
  }

  #agentReturns(index: number, afterMs: number): void {
    const agent = this.#cluster.agents[index] as SimAgent;
    this.#cluster.clock.after(afterMs, () => {
      if (!agent.alive && !this.down.has(index)) agent.boot();
    });
  }

  #note(index: number, line: string): void {
    this.#cluster.trace?.(index, () => line);
  }
}
