/**
 * Relations between settings, checked once when the file is read. The dangerous mistake is never
 * one value, it is two that do not fit: a leader must have stopped taking writes before anyone else
 * can be elected.
 */
import type { Config, Values } from "./config_shape.ts";
import { parseSysvars } from "../mysql/sysvars.ts";
import { isIpv6, isLoopback } from "./endpoint.ts";
import { messageOf } from "../mysql/message_of.ts";

export interface RuleFinding {
  readonly severity: "problem" | "warning";
  /** The key whose line is shown. */
  readonly key: string;
  /** Other keys that the rule compares with. */
  readonly among: readonly string[];
  readonly sentence: string;
}

export interface RuleInput {
  readonly config: Config;
  readonly values: Values;
  /** The keys that stand in the file. */
  readonly given: ReadonlySet<string>;
}

/** Everything that does not fit together. */
export function checkRules(input: RuleInput): readonly RuleFinding[] {
  return [
    ...checkTiming(input),
    ...checkVip(input),
    ...checkPasswords(input),
    ...checkSecret(input.config),
    ...checkSysvars(input, "mysql.master-sysvars"),
    ...checkSysvars(input, "mysql.slave-sysvars"),
  ];
}

function checkTiming({ config: { raft, rpc }, given }: RuleInput): readonly RuleFinding[] {
  const { heartbeatMs, electionMs, leaseMs, fenceMs } = raft;
  const findings: RuleFinding[] = [];
  const leaseKey = ["raft.lease-timeout", "raft.admit-defeat-hearbeat-count"]
    .find((key) => given.has(key)) ?? "raft.election-timeout";
  const among = [
    "raft.heartbeat-timeout",
    "raft.election-timeout",
    "raft.fence-timeout",
    "raft.lease-timeout",
    "raft.admit-defeat-hearbeat-count",
  ];
  if (heartbeatMs * 2 >= leaseMs) {
    const sentence = `Two heartbeats must fit into the lease, found 2 * ${heartbeatMs} ms in ` +
      `${leaseMs} ms: lower heartbeat-timeout, or raise election-timeout to ` +
      `${electionFor(2 * heartbeatMs)} or more${leaseFix(given)}`;
    findings.push(problem(leaseKey, among, sentence));
  }
  if (leaseMs + fenceMs >= electionMs) {
    const sentence = `A leader must be closed before others elect: lease-timeout ${leaseMs} + ` +
      `fence-timeout ${fenceMs} must be less than election-timeout ${electionMs}: raise ` +
      `election-timeout to ${leaseMs + fenceMs + 50} or more, or leave lease-timeout and ` +
      `fence-timeout out`;
    findings.push(problem(leaseKey, among, sentence));
  }
  if (rpc.requestMs >= electionMs) {
    const sentence = `A call must end before an election begins, found ${rpc.requestMs} ms with ` +
      `an election-timeout of ${electionMs} ms: set request-timeout to ` +
      `${Math.floor(electionMs / 2)} or less`;
    findings.push(problem("rpc.request-timeout", ["raft.election-timeout"], sentence));
  }
  return findings;
}

/** The least election timeout whose derived lease is longer than `leaseMs`. */
function electionFor(leaseMs: number): number {
  let electionMs = leaseMs;
  while (electionMs - Math.min(500, Math.floor(electionMs / 4)) - 50 <= leaseMs) electionMs++;
  return Math.ceil(electionMs / 100) * 100;
}

function leaseFix(given: ReadonlySet<string>): string {
  const limits = ["raft.lease-timeout", "raft.admit-defeat-hearbeat-count"]
    .filter((key) => given.has(key)).map((key) => key.slice("raft.".length));
  return limits.length === 0 ? "" : ` and leave ${limits.join(" and ")} out`;
}

function checkVip(
  { config: { vip, raft, server }, values, given }: RuleInput,
): readonly RuleFinding[] {
  if (vip === null) {
    return values.get("vip.interface") !== ""
      ? [problem("vip.interface", ["vip.address"], "Interface without an address: set address")]
      : [];
  }
  const findings: RuleFinding[] = [];
  if (vip.interface === "") {
    const sentence = `No interface for ${vip.address}: set interface, for instance "eth0"`;
    findings.push(problem("vip.address", ["vip.interface"], sentence));
  }
  if (vip.address === server.endpoint.host) {
    const sentence = `${vip.address} is this host's own address (server.endpoint): the virtual ` +
      `address moves between the hosts, give it one of its own`;
    findings.push(problem("vip.address", ["server.endpoint"], sentence));
  }
  if (!isIpv6(vip.address) && vip.prefix > 32) {
    const sentence = `Prefix of an IPv4 address is at most 32, found ${vip.prefix}`;
    findings.push(problem("vip.prefix", ["vip.address"], sentence));
  }
  const timing = ["raft.election-timeout", "raft.heartbeat-timeout", "vip.lease"];
  const key = given.has("vip.lease") ? "vip.lease" : "vip.address";
  if (vip.leaseMs % 1000 !== 0) {
    const sentence = `The kernel counts whole seconds: set lease to ` +
      `${Math.ceil(vip.leaseMs / 1000) * 1000}, found ${vip.leaseMs}`;
    findings.push(problem(key, timing, sentence));
  }
  if (vip.leaseMs < 2 * raft.heartbeatMs) {
    const sentence = `The address is renewed every heartbeat and must outlive two of ` +
      `${raft.heartbeatMs} ms, found a lease of ${vip.leaseMs} ms: leave lease out`;
    findings.push(problem(key, timing, sentence));
  }
  if (raft.electionMs <= vip.leaseMs + 100) {
    const sentence = `The address must be gone before others elect: set raft.election-timeout to ` +
      `${vip.leaseMs + 200} or more, found ${raft.electionMs} ms with a lease of ${vip.leaseMs} ms`;
    findings.push(problem(key, timing, sentence));
  }
  return findings;
}

function checkPasswords({ values, given }: RuleInput): readonly RuleFinding[] {
  return ["mysql", "replication"].flatMap((section) => {
    const [inline, file] = [`${section}.passwd`, `${section}.passwd-file`];
    if (values.get(inline) === "" || !given.has(file)) return [];
    return [problem(inline, [file], "Given twice: keep passwd-file and remove passwd")];
  });
}

function checkSecret({ server, rpc, replication }: Config): readonly RuleFinding[] {
  if (isLoopback(server.endpoint.host)) return [];
  const findings: RuleFinding[] = [];
  if (rpc.secretFile === null) {
    const sentence = `No rpc.secret-file: only callers on this host are served, so no other node ` +
      `can join; put the same random text into a file of mode 0600 on every node`;
    findings.push(warning("server.endpoint", sentence));
  }
  if (replication.password.kind === "inline" && replication.password.secret.empty) {
    const sentence = `Account "${replication.user}" has no password: set replication.passwd-file`;
    findings.push(warning("replication.user", sentence));
  }
  return findings;
}

function checkSysvars({ values }: RuleInput, key: string): readonly RuleFinding[] {
  const text = values.get(key);
  try {
    const { dropped } = parseSysvars(typeof text === "string" ? text : "");
    return dropped.map((sentence) => warning(key, sentence));
  } catch (error) {
    return [problem(key, [], messageOf(error))];
  }
}

function problem(key: string, among: readonly string[], sentence: string): RuleFinding {
  return { severity: "problem", key, among, sentence };
}

function warning(key: string, sentence: string): RuleFinding {
  return { severity: "warning", key, among: [], sentence };
}
