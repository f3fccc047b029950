/** One simulated run: a whole cluster, its clients and its faults, all from one number. */
import { InvariantError } from "../../raft/invariant.ts";
import type { Envelope } from "../../raft/message.ts";
import type { Config, Durable } from "../../raft/types.ts";
import { HostAddress } from "./address.ts";
import { SimAgent } from "./agent.ts";
import { Checkers, Violation } from "./checkers.ts";
import { Client } from "./clients.ts";
import { Clock } from "./clock.ts";
import { type Core, realCore } from "./core.ts";
import { Dice } from "./dice.ts";
import { FakeServer } from "./fake_mysql.ts";
import { drawFaults, drawLateAnswers, drawLooseness, type Fault } from "./faults.ts";
import { type Flaws, noFlaws } from "./flaws.ts";
import { Founder, type FounderWorld } from "./founder.ts";
import { Hosts } from "./hosts.ts";
import { isAnswer, LateAnswers } from "./late_answers.ts";
import { demandLife } from "./liveness.ts";
import { Network } from "./network.ts";
import { Replication } from "./replication.ts";
import {
  drawConfigs,
  drawDurables,
  drawShape,
  forgetfulShape,
  foundingMembers,
  namesOf,
  plainShape,
  type Shape,
} from "./shape.ts";
import { TimeChecks } from "./time_checks.ts";
import type { Surroundings } from "./surroundings.ts";
import { nameOf } from "./view.ts";

export interface RunOptions {
  readonly core?: Core;
  readonly flaws?: Partial<Flaws>;
  /** Changes the settings of every node; for planted bugs. */
  readonly configure?: (config: Config) => Config;
  /** Draws faults that are aimed at one bug, instead of a mix; for planted bugs. */
  readonly aim?: (dice: Dice) => readonly Fault[];
  /** Fixes some of what is drawn about the cluster; for planted bugs. */
  readonly shape?: Partial<Shape>;
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
const lookAgainMs = 2500;
const maintainMs = 250;

/** Runs one seed to its end, or to the first broken promise. */
export function run(seed: number, options: RunOptions = {}): RunResult {
  const dice = new Dice(seed);
  const drawnShape = drawShape(dice);
  const shape = options.forgetful
    ? forgetfulShape
    : options.shape
    ? { ...drawnShape, ...plainShape, ...options.shape }
    : drawnShape;
  const fates = dice.fork();
  const { hosts: nodes, witness, changes } = shape;
  const faultWorld = { nodes, witness, changes, untilMs: faultsEndMs };
  const drawn = options.aim?.(fates) ?? [
    ...drawFaults(fates, faultWorld),
    ...drawLateAnswers(Dice.aside(seed, 7), faultWorld),
    ...shape.lost.length > 0 ? [] : drawLooseness(Dice.aside(seed, 13), faultWorld),
  ];
  const faults = options.faults ?? drawn;
  const world = build(dice, shape, { ...options, faults, seed });
  const { clock, checkers, hosts, agents, servers } = world;
  let violation: Violation | null = null;
  try {
    for (const agent of agents) clock.after(dice.between(0, 200), () => agent.boot());
    clock.run(faultsEndMs);
    hosts.heal(shape.lost);
    const living = agents.filter((agent) => !shape.lost.includes(agent.index));
    const lives = () => demandLife({ agents: living, servers, checkers, now: clock.now });
    const founded = agents.some((agent) => agent.disk.membership !== null);
    // Operators that name different nodes may keep each other from founding anything.
    if (founded || !world.contested) untilAlive(clock, lives);
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

/** A run ends as soon as everything is well; what is not well by the end is a violation. */
function untilAlive(clock: Clock, demand: () => void): void {
  for (let at = faultsEndMs + lookAgainMs; at < endMs; at += lookAgainMs) {
    clock.run(at);
    try {
      return demand();
    } catch (error) {
      if (!(error instanceof Violation) || error.checker !== "liveness") throw error;
    }
  }
  clock.run(endMs);
  demand();
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
  /** Two operators try to found clusters of different nodes. */
  readonly contested: boolean;
}

function build(
  dice: Dice,
  shape: Shape,
  options: RunOptions & { readonly faults: readonly Fault[]; readonly seed: number },
): Built {
  const clock = new Clock();
  const flaws = { ...noFlaws, ...options.flaws };
  const network = new Network(drawMood(dice), dice.fork());
  const recovery = shape.careful ? 0 : options.forgetful ? 1 : dice.pick([0, 0.3, 1]);
  const servers = namesOf(shape.hosts).map((name, index) =>
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
  const kernels = Dice.aside(options.seed, 9);
  const addresses = watchTime(checkers, { clock, dice: kernels, agents, servers });
  const lateAnswers = new LateAnswers(clock, Dice.aside(options.seed, 8));
  const cluster = {
    clock,
    dice: dice.fork(),
    network,
    lateAnswers,
    servers,
    replication,
    agents,
    addresses,
    trace,
  };
  const hosts = new Hosts(cluster, options.faults);
  checkers.onAnswered = (index, request, refused) => hosts.answered(index, request, refused);
  checkers.onRecorded = (index, disk) => hosts.recorded(index, disk);
  checkers.isOff = (index) => hosts.isOff(index);
  const configs = drawConfigs(dice, shape, options.configure);
  const durables = drawDurables(shape);
  const { electionMs } = configs[0] as Config;
  const addressMs = kernels.pick([electionMs / 2, electionMs - 101]);
  for (const server of servers) {
    const surroundings: Surroundings = {
      clock,
      dice: dice.fork(),
      core: options.core ?? realCore,
      config: configs[server.index] as Config,
      site: { server, replication, clock, dice: dice.fork(), flaws, fenceMs: 200 },
      address: addresses[server.index] as HostAddress,
      addressMs,
      indexOf: (id) => id.charCodeAt(0) - "a".charCodeAt(0),
      post: (envelope) => post({ ...cluster, hosts }, envelope),
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
  const contested = shape.fresh && foundings(dice, shape, { clock, dice, network, agents });
  watchInvalid(clock, agents, { servers, hosts });
  return { clock, checkers, hosts, agents, servers, contested };
}

/** The virtual address on every host, and the promises about time. */
function watchTime(
  checkers: Checkers,
  world: {
    readonly clock: Clock;
    readonly dice: Dice;
    readonly agents: readonly SimAgent[];
    readonly servers: readonly FakeServer[];
  },
): readonly HostAddress[] {
  const { clock, dice, agents, servers } = world;
  const addresses = servers.map(({ index }) =>
    new HostAddress(index, { clock, dice: dice.fork() })
  );
  const checks = new TimeChecks(clock, { agents, addresses });
  checkers.onOpened = checks.opened;
  checkers.onStepped = checks.stepped;
  return addresses;
}

/** One operator names all of them; sometimes a second one does, or names others: then it is true. */
function foundings(dice: Dice, shape: Shape, world: FounderWorld): boolean {
  const members = foundingMembers(shape);
  const at = dice.below(shape.founders);
  new Founder(world, { at, members, untilMs: Infinity }).run();
  if (!dice.chance(0.4)) return false;
  const fewer = dice.chance(0.5) ? members : members.filter((member) => member.kind === "voter");
  const list = fewer.length > 2 && dice.chance(0.5) ? fewer.slice(1) : fewer;
  const second = list[dice.below(list.length)];
  const other = members.findIndex((member) => member.id === second?.id);
  const mark = other === at ? "'" : "";
  new Founder(world, { at: other, members: list, untilMs: faultsEndMs, mark }).run();
  return list.length !== members.length;
}

function drawMood(dice: Dice) {
  return {
    delayMs: dice.pick([0.5, 1, 5]),
    jitterMs: dice.pick([0, 5, 60]),
    loss: dice.pick([0, 0, 0.02, 0.15]),
    duplication: dice.pick([0, 0, 0.05, 0.2]),
  };
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
    readonly lateAnswers: LateAnswers;
    readonly agents: readonly SimAgent[];
    readonly hosts: Hosts;
  },
  envelope: Envelope,
): void {
  const { clock, network, lateAnswers, agents, hosts } = world;
  const sender = agents.find((agent) => nameOf(agent.index) === envelope.from);
  const target = agents.find((agent) => nameOf(agent.index) === envelope.to);
  if (!sender || !target) return;
  for (const delayMs of network.arrivals(sender.index, target.index)) {
    clock.after(delayMs, () => {
      const late = target.alive && isAnswer(envelope.message) &&
        lateAnswers.takes(target.index, target.disk.term, () => target.hears(envelope));
      if (late) return;
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

/**
 * Operators rebuild a node that says for seconds, after the faults, that it cannot follow: one after the
 * other, as xenon has it, each when the one before it is back in step.
 */
function watchInvalid(
  clock: Clock,
  agents: readonly SimAgent[],
  world: { readonly servers: readonly FakeServer[]; readonly hosts: Hosts },
): void {
  const since = new Map<number, number>();
  let rebuilding: { readonly agent: SimAgent; readonly at: number } | null = null;
  const look = () => {
    clock.after(200, look);
    if (clock.now < faultsEndMs) return;
    const agoMs = clock.now - (rebuilding?.at ?? 0);
    if (rebuilding !== null && agoMs > 400 && (agoMs > 1_500 || isBack(rebuilding.agent))) {
      rebuilding = null;
    }
    const leader = agents.find((agent) => agent.state?.role === "leader");
    const donor = world.servers[leader?.index ?? -1];
    for (const agent of agents) {
      const { index, state } = agent;
      const invalid = state?.role === "follower" && state.invalid !== null;
      const waited = clock.now - (since.get(index) ?? clock.now) >= 800;
      if (!invalid || !donor?.alive) {
        since.delete(index);
      } else if (waited && rebuilding === null) {
        since.delete(index);
        rebuilding = { agent, at: clock.now };
        world.hosts.rebuild(index, donor);
      } else if (!since.has(index)) {
        since.set(index, clock.now);
      }
    }
  };
  clock.after(faultsEndMs, look);
}

/** A copy that was replaced is certain again when it was seen in step with an open leader. */
function isBack({ state, disk }: SimAgent): boolean {
  if (state === null || disk.uncertain !== null) return false;
  return state.role === "leader" || (state.role === "follower" && state.leader !== null);
}

function tracer(
  clock: Clock,
  print: (line: string) => void,
): (index: number, line: () => string) => void {
  return (index, line) => print(`${clock.now.toFixed(1).padStart(9)} ${nameOf(index)} ${line()}`);
}
