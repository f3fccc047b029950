/** What an operator can get wrong: each gives a clear error, changes nothing and loses nothing. */
import assert from "node:assert/strict";
import { describeResult, type ProcessResult } from "../../mysql/process.ts";
import { Ward, type WardNode } from "./bad_input_lab.ts";

/** A command answers within the agents' own deadline of 5 s; the rest is for a busy machine. */
const answerMsMax = 20_000;

Deno.test("xenon agent lists every mistake of its config with its line and ends with 1", async () => {
  await using ward = new Ward();
  const node = await ward.create({
    witness: true,
    edit: (config) =>
      config
        .replace("witness = true", "witnes = true")
        .replace('host = "127.0.0.1"', "host = 5")
        .replace("[replication]", "[replicaton]"),
  });
  const result = await node.runAgent();
  const problems = problemsOf(result, node.configPath);
  assert.match(
    lineOf(node, "witnes ", problems),
    /raft\.witnes: Unknown key, did you mean witness/,
  );
  assert.match(lineOf(node, "host = 5", problems), /mysql\.host: Expected .*, found 5$/);
  assert.match(lineOf(node, "[replicaton]", problems), /Unknown section, did you mean replication/);
  assert.equal(problems.length, 3, result.stderrTail);
  assert.match(result.stderrTail, /xenon: Cannot use the config ".*" as it has 3 problems; next: /);
  assert.throws(() => node.state(), Deno.errors.NotFound);
});

Deno.test("xenon agent names the line of two settings that do not fit together", async () => {
  await using ward = new Ward();
  const node = await ward.create({
    witness: true,
    edit: (config) => config.replace("[mysql]", "election-timeout = 300\n[mysql]"),
  });
  const problems = problemsOf(await node.runAgent(), node.configPath);
  assert.match(
    lineOf(node, "election-timeout", problems),
    /raft\.election-timeout: Two heartbeats must fit into the lease, .*or raise election-timeout/,
  );
});

Deno.test("cluster add refuses servers that cannot be members", async (test) => {
  await using ward = new Ward();
  const [founder, fresh, diverged, gtidOff, logOff, updatesOff] = await Promise.all([
    ward.start({ sql: ["CREATE DATABASE only_on_the_founder"] }),
    ward.start(),
    ward.start({ sql: ["CREATE DATABASE only_on_the_other"] }),
    ward.start({ myCnf: ["gtid_mode=OFF", "enforce_gtid_consistency=OFF"] }),
    ward.start({ myCnf: ["skip_log_bin", "log_replica_updates=OFF", "gtid_mode=OFF"] }),
    ward.start({ myCnf: ["log_replica_updates=OFF"] }),
  ]);
  for (const node of [founder, fresh, diverged, gtidOff, logOff, updatesOff]) await seen(node);
  const asked = { founder, fresh };

  await test.step("data of its own: both sets are named", async () => {
    const [own, other] = await Promise.all([executed(founder), executed(diverged)]);
    await refused(asked, [diverged], [
      /Nothing was changed: the data differs: /,
      new RegExp(`only ${founder.id} has ${own}`),
      new RegExp(`only ${diverged.id} has ${other}`),
    ]);
  });
  await test.step("gtid_mode=OFF", async () => {
    await refused(asked, [gtidOff], [
      new RegExp(`${gtidOff.id}: gtid_mode is OFF and must be ON: set gtid_mode=ON in my\\.cnf`),
      /enforce_gtid_consistency is OFF/,
    ]);
  });
  await test.step("no binary log", async () => {
    await refused(asked, [logOff], [new RegExp(`${logOff.id}: log_bin is OFF and must be ON`)]);
  });
  await test.step("several at once: every obstacle is named", async () => {
    await refused(asked, [gtidOff, updatesOff], [
      new RegExp(`${gtidOff.id}: gtid_mode is OFF`),
      new RegExp(`${updatesOff.id}: log_replica_updates is OFF and must be ON`),
    ]);
  });
  await test.step("after all of that the two good ones found a cluster", async () => {
    await foundedOf(founder, fresh);
  });
});

Deno.test("cluster add refuses agents that do not take part", async (test) => {
  await using ward = new Ward();
  const otherSecret = ward.writeSecret("other", "quite another secret of theirs");
  const [founder, fresh, stranger, renamed] = await Promise.all([
    ward.start(),
    ward.start({ witness: true }),
    ward.start({
      witness: true,
      edit: (config) => config.replace(/secret-file = .*/, `secret-file = "${otherSecret}"`),
    }),
    ward.start({
      witness: true,
      edit: (config) => config.replace('endpoint = "127.0.0.1:', 'endpoint = "localhost:'),
    }),
  ]);
  await seen(founder);
  const asked = { founder, fresh };

  await test.step("another secret", async () => {
    await refused(asked, [stranger], [
      new RegExp(`${stranger.id} did not prove that it knows our secret: its rpc\\.secret-file`),
    ]);
  });
  await test.step("a name that is not the agent's own", async () => {
    const own = renamed.id.replace("127.0.0.1", "localhost");
    await refused(asked, [renamed], [
      new RegExp(`${renamed.id} calls itself ${own}: name it by its server\\.endpoint`),
    ]);
  });
  await test.step("a host that accepts and never answers", async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const frozen = `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
    await refused(asked, [frozen], [new RegExp(`Node ${frozen} did not answer within 5000 ms`)]);
  });
  await test.step("a host where no agent runs", async () => {
    await refused(asked, ["127.0.0.1:1"], [/Node 127\.0\.0\.1:1 refused the connection/]);
  });
  await test.step("after all of that the two good ones found a cluster", async () => {
    await foundedOf(founder, fresh);
  });
});

Deno.test("cluster add takes no node out of another cluster", async () => {
  await using ward = new Ward();
  const [founder, fresh, foreign] = await Promise.all([
    ward.start(),
    ward.start({ witness: true }),
    ward.start(),
  ]);
  await Promise.all([seen(founder), seen(foreign)]);
  const alone = await foreign.xenon("cluster", "add", foreign.id);
  assert.match(alone.stdoutTail, /^Founded cluster /, describeResult(alone));
  await foreign.until((status) => status?.role === "LEADER");
  const { cluster } = await foreign.status() ?? {};
  await refused({ founder, fresh }, [foreign.id], [
    new RegExp(`${foreign.id} belongs to cluster ${cluster} already`),
  ]);
  await foundedOf(founder, fresh);
  const before = await founder.status();
  const result = await founder.xenon("cluster", "add", foreign.id);
  assert.match(
    result.stderrTail,
    new RegExp(`${foreign.id} belongs to another cluster: .*${cluster}`),
  );
  const after = await founder.status();
  assert.deepEqual([after?.epoch, after?.members], [before?.epoch, before?.members]);
  assert.equal((await foreign.status())?.cluster, cluster);
});

Deno.test("an agent with a wrong password leaves its server alone and names the account", async () => {
  await using ward = new Ward();
  const [founder, node] = await Promise.all([
    ward.start(),
    ward.start({ edit: (config) => config.replace('passwd = ""', 'passwd = "nobody knows it"') }),
  ]);
  await seen(founder);
  const server = await node.sandbox.server.identify();
  const status = await node.until((status) => /Access denied/.test(status?.sentence ?? ""));
  assert.match(
    status?.sentence ?? "",
    /Access denied for user 'root'@.*check mysql\.admin and mysql\.passwd/,
  );
  assert.match(node.log(), /Access denied for user 'root'@/);
  const before = [founder.state(), node.state()];
  const result = await founder.xenon("cluster", "add", node.id);
  assert.deepEqual(result.ended, { how: "exit", code: 1 });
  assert.match(result.stderrTail, new RegExp(`${node.id}: .*Access denied for user 'root'@`));
  assert.deepEqual([founder.state(), node.state()], before);
  assert.doesNotMatch(`${result.stderrTail}${node.log()}`, /nobody knows it/);
  assert.deepEqual(await node.sandbox.server.identify(), server, "the server still runs");
});

Deno.test("a damaged state file ends the agent and is not touched", async () => {
  await using ward = new Ward();
  const node = await ward.start({ witness: true });
  await node.endAgent();
  const intact = node.state();
  for (const damaged of ["", intact.slice(0, -20), intact.replace('"term": 0', '"term": 7')]) {
    assert.notEqual(damaged, intact);
    Deno.writeTextFileSync(node.statePath, damaged);
    const result = await node.runAgent();
    assert.deepEqual(result.ended, { how: "exit", code: 1 }, describeResult(result));
    assert.ok(result.stderrTail.includes(`Cannot use state file "${node.statePath}"`));
    assert.match(result.stderrTail, /cluster remove/);
    assert.equal(node.state(), damaged);
  }
});

Deno.test("two agents use neither one folder nor one port", async () => {
  await using ward = new Ward();
  const first = await ward.start({ witness: true });
  const sameFolder = await ward.create({
    witness: true,
    edit: (config) => config.replace(/meta-datadir = .*/, `meta-datadir = "${first.metaFolder}"`),
  });
  const samePort = await ward.create({
    witness: true,
    edit: (config) => config.replace(/endpoint = .*/, `endpoint = "${first.id}"`),
  });
  const before = first.state();
  const folder = await sameFolder.runAgent();
  assert.deepEqual(folder.ended, { how: "exit", code: 1 });
  assert.match(folder.stderrTail, /Cannot use folder ".*": the agent with process id \d+ uses it/);
  const port = await samePort.runAgent();
  assert.deepEqual(port.ended, { how: "exit", code: 1 });
  assert.match(port.stderrTail, new RegExp(`Cannot listen on .*${first.id}`));
  assert.equal(first.state(), before);
  assert.equal((await first.status())?.id, first.id, "the first one is not disturbed");
});

Deno.test("secrets that others can read are refused, and every such file is named", async () => {
  await using ward = new Ward();
  const node = await ward.create({ witness: true });
  const names = ["secret", "replication.password"];
  for (const name of names) Deno.chmodSync(`${ward.folder}/${name}`, 0o644);
  const result = await node.runAgent();
  assert.deepEqual(result.ended, { how: "exit", code: 1 }, describeResult(result));
  for (const name of names) {
    const path = `${ward.folder}/${name}`;
    assert.ok(result.stderrTail.includes(`"${path}": others can read it (mode 0644)`));
    assert.ok(result.stderrTail.includes(`chmod 600 ${path}`), result.stderrTail);
  }
  assert.doesNotMatch(result.stderrTail, /one secret for all/);
});

interface Asked {
  readonly founder: WardNode;
  /** A node that nothing is wrong with, named in front of the bad ones. */
  readonly fresh: WardNode;
}

/** A founding that is refused for all of these reasons, and of which no state file shows a trace. */
async function refused(
  { founder, fresh }: Asked,
  bad: readonly (WardNode | string)[],
  reasons: readonly RegExp[],
): Promise<void> {
  const nodes = [founder, fresh, ...bad.filter((node) => typeof node !== "string")];
  const ids = [fresh.id, ...bad.map((node) => typeof node === "string" ? node : node.id)];
  const before = nodes.map((node) => node.state());
  const result = await founder.xenon("cluster", "add", ids.join(","));
  assert.deepEqual(result.ended, { how: "exit", code: 1 }, describeResult(result));
  assert.ok(result.durationMs < answerMsMax, describeResult(result));
  assert.equal(result.stdoutTail, "");
  for (const reason of reasons) assert.match(result.stderrTail, reason);
  assert.deepEqual(nodes.map((node) => node.state()), before, "no promise is left behind");
}

/** Lines above the closing one of an agent that could not use its config. */
function problemsOf(result: ProcessResult, configPath: string): readonly string[] {
  assert.deepEqual(result.ended, { how: "exit", code: 1 }, describeResult(result));
  const lines = result.stderrTail.trimEnd().split("\n");
  assert.match(lines.at(-1) ?? "", /^xenon: Cannot use the config /);
  const problems = lines.slice(0, -1);
  for (const line of problems) assert.ok(line.startsWith(`${configPath}:`), line);
  return problems;
}

/** The problem that stands in the line of the config that has this text. */
function lineOf(node: WardNode, text: string, problems: readonly string[]): string {
  const lines = Deno.readTextFileSync(node.configPath).split("\n");
  const number = lines.findIndex((line) => line.includes(text)) + 1;
  const found = problems.find((line) => line.startsWith(`${node.configPath}:${number}:`));
  return found ?? `no problem in line ${number}: ${problems.join("; ")}`;
}

/** Waits until the agent knows its server and wrote down which run of it that is. */
async function seen(node: WardNode): Promise<void> {
  await node.until((status) =>
    status !== null && !status.sentence.includes("; MySQL is ") &&
    JSON.parse(node.state()).payload.durable.incarnation !== null
  );
}

async function executed(node: WardNode): Promise<string> {
  const status = await node.until((status) => (status?.mysql.executed ?? "") !== "");
  return status?.mysql.executed ?? "";
}

/** A founding after everything that was refused. */
async function foundedOf(founder: WardNode, other: WardNode): Promise<void> {
  const result = await founder.xenon("cluster", "add", other.id);
  assert.match(result.stdoutTail, /^Founded cluster .*\n.* stands first/, describeResult(result));
  await founder.until((status) => status?.role === "LEADER" && status.members.length === 2);
  await other.until((status) => status?.leader === founder.id);
}
