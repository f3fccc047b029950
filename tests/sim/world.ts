/** One simulated run: a whole cluster, its clients and its faults, all from one number. */
import { InvariantError } from "../../raft/invariant.ts";
import type { Envelope } from "../../raft/message.ts";
import { quorumOf } from "../../raft/quorum.ts";
import {
  type Config,
  type Durable,
  freshDurable,
  type Member,
  type NodeId,
} from "../../raft/types.ts";
import { SimAgent } from "./agent.ts";
import { Checkers, Violation } from "./checkers.ts";
import { Client } from "./clients.ts";
import { Clock } from "./clock.ts";
import { type Core, realCore } from "./core.ts";
import { Dice } from "./dice.ts";
import { FakeServer } from "./fake_mysql.ts";
import { drawFaults, type Fault } from "./faults.ts";
import { type Flaws, noFlaws } from "./flaws.ts";
import { Hosts } from "./hosts.ts";
import { demandLife } from "./liveness.ts";
import { Network } from "./network.ts";
import { Replication } from "./replication.ts";
import type { Surroundings } from "./surroundings.ts";
import { compactPositions } from "./transactions.ts";
import { mysqlPort, nameOf } from "./view.ts";

export interface RunOptions {
  readonly core?: Core;
  readonly flaws?: Partial<Flaws>;
  /** Changes the settings of every node; for planted bugs. */
  readonly configure?: (config: Config) => Config;
  /** Draws faults that are aimed at one bug, instead of a mix; for planted bugs. */
  readonly aim?: (dice: Dice) => readonly Fault[];
  /** Servers that forget what they received whenever they restart, in a cluster of three. */
  readonly forgetful?: boolean;
  /** Instead of the drawn faults; for shrinking. */
  readonly faults?: readonly Fault[];
  readonly trace?: (line: string) => void;
}

export interface RunResult {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly faults: readonly Fault[];
  readonly acknowledged: number;
  readonly leaders: number;
}

const faultsEndMs = 12_000;
const endMs = 21_000;
const maintainMs = 250;

interface Shape {
  readonly nodes: number;
  readonly witness: number | null;
  /** Hosts that never come back after the faults; a majority always does. */
  readonly lost: readonly number[];
  /** The servers keep what they received through any restart. */
  readonly careful: boolean;
}

const shapes: readonly Pick<Shape, "nodes" | "witness">[] = [
  { nodes: 3, witness: null },
  { nodes: 3, witness: null },
  { nodes: 3, witness: 2 },
  { nodes: 4, witness: null },
  { nodes: 5, witness: null },
  { nodes: 5, witness: null },
  { nodes: 7, witness: null },
];

const forgetfulShape: Shape = { nodes: 3, witness: null, lost: [], careful: false };

/** Runs one seed to its end, or to the first broken promise. */
export function run(seed: number, options: RunOptions = {}): RunResult {
  const dice = new Dice(seed);
  const drawnShape = drawShape(dice);
  const shape = options.forgetful ? forgetfulShape : drawnShape;
  const fates = dice.fork();
  const drawn = options.aim?.(fates) ?? drawFaults(fates, { ...shape, untilMs: faultsEndMs });
  const faults = options.faults ?? drawn;
  const world = build(dice, shape, { ...options, faults });
  const { clock, checkers, hosts, agents, servers } = world;
  let violation: Violation | null = null;
  try {
    for (const agent of agents) clock.after(dice.between(0, 200), () => agent.boot());
    clock.run(faultsEndMs);
    hosts.heal(shape.lost);
    clock.run(endMs);
    const living = agents.filter((agent) => !shape.lost.includes(agent.index));
    demandLife({ agents: living, servers, checkers, now: clock.now });
  } catch (error) {
    violation = broken(error);
  }
  options.trace?.(violation?.message ?? "all promises kept");
  return {
    seed,
    violation,
    faults,
    acknowledged: checkers.acknowledgedCount,
    leaders: checkers.leaderCount,
  };
}

/** Where servers may forget what they received, only a full healing is sure to bring a leader back. */
function drawShape(dice: Dice): Shape {
  const shape = dice.pick(shapes);
  const careful = dice.chance(0.5);
  const { n, q } = quorumOf(shape.nodes);
  const sparable = shape.witness === null ? n - q : 1;
  const lostMax = careful && dice.chance(0.6) ? sparable : 0;
  const first = shape.witness ?? dice.below(n);
  const lost = Array.from({ length: lostMax }, (_, place) => (first + place) % n);
  return { ...shape, careful, lost };
}

function broken(error: unknown): Violation {
  if (error instanceof Violation) return error;
  if (error instanceof InvariantError) return new Violation("invariant", error.message);
  throw error;
}

interface Built {
  readonly clock: Clock;
  readonly checkers: Checkers;
  readonly hosts: Hosts;
  readonly agents: readonly SimAgent[];
  readonly servers: readonly FakeServer[];
}

function build(
  dice: Dice,
  shape: Shape,
  options: RunOptions & { readonly faults: readonly Fault[] },
): Built {
  const clock = new Clock();
  const flaws = { ...noFlaws, ...options.flaws };
  const network = new Network(drawMood(dice), dice.fork());
  const recovery = shape.careful ? 0 : options.forgetful ? 1 : dice.pick([0, 0.3, 1]);
  const servers = names(shape.nodes).map((name, index) =>
    new FakeServer(index, name, {
      settings: {
        relayLogRecovery: dice.chance(recovery),
        syncRelayLog: shape.careful || dice.chance(0.5),
      },
      flaws,
    })
  );
  const replication = new Replication(servers, { clock, network, dice: dice.fork() });
  const checkers = new Checkers(clock, servers);
  replication.onConnected = checkers.connected;
  const trace = options.trace === undefined ? null : tracer(clock, options.trace);
  const agents: SimAgent[] = [];
  const cluster = { clock, dice: dice.fork(), network, servers, replication, agents, trace };
  const hosts = new Hosts(cluster, options.faults);
  checkers.onAnswered = (index, request) => hosts.answered(index, request);
  const configs = drawConfigs(dice, shape, options.configure);
  const durables = found(shape);
  for (const server of servers) {
    const surroundings: Surroundings = {
      clock,
      dice: dice.fork(),
      core: options.core ?? realCore,
      config: configs[server.index] as Config,
      site: { server, replication, clock, dice: dice.fork(), flaws, fenceMs: 200 },
      indexOf: (id) => id.charCodeAt(0) - "a".charCodeAt(0),
      post: (envelope) => post({ clock, network, agents, hosts }, envelope),
      hook: (point, index) => hosts.hook(point, index),
      stopServer: (index, how) => hosts.stopServer(index, how),
      observer: checkers,
      trace,
    };
    agents.push(new SimAgent(server.index, surroundings, durables[server.index] as Durable));
    maintain(clock, replication, server);
  }
  const writers = servers.filter((server) => server.index !== shape.witness);
  drawClients(dice, clock, writers).forEach((client) => client.run());
  watchInvalid(clock, agents, { servers, hosts });
  return { clock, checkers, hosts, agents, servers };
}

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => nameOf(index));
}

function drawMood(dice: Dice) {
  return {
    delayMs: dice.pick([0.5, 1, 5]),
    jitterMs: dice.pick([0, 5, 60]),
    loss: dice.pick([0, 0, 0.02, 0.15]),
    duplication: dice.pick([0, 0, 0.05, 0.2]),
  };
}

function drawConfigs(
  dice: Dice,
  shape: Shape,
  configure: (config: Config) => Config = (config) => config,
): readonly Config[] {
  const electionMs = dice.pick([600, 900, 1200]);
  return names(shape.nodes).map((name, index) =>
    configure({
      id: name as NodeId,
      source: { id: name as NodeId, host: name, port: mysqlPort },
      heartbeatMs: electionMs / 6,
      electionMs,
      leaseMs: electionMs - 250,
      handoverMs: 1500,
      witness: index === shape.witness,
      positions: compactPositions,
    })
  );
}

/** A cluster whose founding is long over. */
function found(shape: Shape): readonly Durable[] {
  const members: readonly Member[] = names(shape.nodes).map((name, index) => ({
    id: name as NodeId,
    member: `member-${name}`,
    kind: index === shape.witness ? "witness" : "voter",
  }));
  const membership = { cluster: "cluster", epoch: 1, members };
  return members.map((member) => ({ ...freshDurable(member.member), membership }));
}

function drawClients(
  dice: Dice,
  clock: Clock,
  servers: readonly FakeServer[],
): readonly Client[] {
  const count = dice.pick([2, 4, 8]);
  return Array.from({ length: count }, () =>
    new Client(servers, {
      clock,
      dice: dice.fork(),
      habits: {
        betweenMs: dice.pick([20, 60, 200]),
        patienceMs: dice.pick([300, 1000, 3000]),
        loyalty: dice.pick([0, 0.5, 0.95]),
      },
    }));
}

/** Carries a message; a process that is gone on a living host refuses the connection. */
function post(
  world: {
    readonly clock: Clock;
    readonly network: Network;
    readonly agents: readonly SimAgent[];
    readonly hosts: Hosts;
  },
  envelope: Envelope,
): void {
  const { clock, network, agents, hosts } = world;
  const sender = agents.find((agent) => nameOf(agent.index) === envelope.from);
  const target = agents.find((agent) => nameOf(agent.index) === envelope.to);
  if (!sender || !target) return;
  for (const delayMs of network.arrivals(sender.index, target.index)) {
    clock.after(delayMs, () => {
      if (target.alive) return target.hears(envelope);
      if (hosts.down.has(target.index) || network.isCut(target.index, sender.index)) return;
      clock.after(network.delay(target.index, sender.index), () => {
        sender.happens({ kind: "peerGone", peer: envelope.to });
      });
    });
  }
}

function maintain(clock: Clock, replication: Replication, server: FakeServer): void {
  replication.maintain(server);
  clock.after(maintainMs, () => maintain(clock, replication, server));
}

/** Operators rebuild a node that says for seconds, after the faults, that it cannot follow. */
function watchInvalid(
  clock: Clock,
  agents: readonly SimAgent[],
  world: { readonly servers: readonly FakeServer[]; readonly hosts: Hosts },
): void {
  const since = new Map<number, number>();
  const look = () => {
    clock.after(200, look);
    if (clock.now < faultsEndMs) return;
    const leader = agents.find((agent) => agent.state?.role === "leader");
    const donor = world.servers[leader?.index ?? -1];
    for (const { index, state } of agents) {
      const invalid = state?.role === "follower" && state.invalid !== null;
      if (!invalid || !donor?.alive) {
        since.delete(index);
      } else if (clock.now - (since.get(index) ?? clock.now) >= 800) {
        since.delete(index);
        world.hosts.rebuild(index, donor);
      } else if (!since.has(index)) {
        since.set(index, clock.now);
      }
    }
  };
  clock.after(faultsEndMs, look);
}

function tracer(
  clock: Clock,
  print: (line: string) => void,
): (index: number, line: () => string) => void {
  return (index, line) => print(`${clock.now.toFixed(1).padStart(9)} ${nameOf(index)} ${line()}`);
}
