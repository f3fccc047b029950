/** The operator's commands about servers and accounts, on a real cluster, by the real program. */
import assert from "node:assert/strict";
import { type Lab, poll } from "../../cmd/demo/lab.ts";
import type { LabNode } from "../../cmd/demo/lab_node.ts";
import { Connection } from "../../mysql/client.ts";
import { describeResult, type ProcessResult, run } from "../../mysql/process.ts";
import { openAgents, program } from "./agents_lab.ts";

const commandMs = 90_000;
/** A busy machine is slow. */
const patienceMs = 60_000;
const quick = { deadlineMs: 10_000 } as const;
const passwords = ["geheim 'eins'", "geheim \\zwei", "geheim drei", "geheim vier"] as const;

Deno.test("an operator commands the servers and accounts of a real cluster", async (test) => {
  await using lab = await openLab();
  await accounts(test, lab);
  await settings(test, lab);
  await monitor(test, lab);
  await shutdowns(test, lab);
  await binaryLogs(test, lab);
  await semiSync(test, lab);
  await emptyCopy(test, lab);
  await nobodyLeads(test, lab);
});

function openLab(): Promise<Lab> {
  return openAgents(patienceMs, {
    edit: (config) =>
      config.replace("purge-binlog-disabled = true", "purge-binlog-interval = 1000"),
  });
}

async function accounts(test: Deno.TestContext, lab: Lab): Promise<void> {
  const [first] = await followersOf(lab);
  const [one, two, three, four] = passwords;

  await test.step("a follower passes accounts on to the leader", async () => {
    const file = `${lab.folder}/app.password`;
    Deno.writeTextFileSync(file, `${one}\n`, { mode: 0o600 });
    const words = ["mysql", "createuser", "app'`\\", "127.0.0.1", "no", "--password-file", file];
    const made = await succeed(first, words);
    assert.match(made, /^The account "app'`\\"@"127\.0\.0\.1" is made on 127\.0\.0\.1:\d+ and/);
    await logIn(await leaderOf(lab), "app'`\\", one);
    const again = await xenon(first, words);
    assert.match(failureOf(again), /exists already; next: /);
  });

  await test.step("passwords come from standard input and from words", async () => {
    await succeed(first, ["mysql", "createsuperuser", "boss", "%", "-", "YES"], `${two}\nmore\n`);
    await succeed(first, ["mysql", "changepassword", "app'`\\", "127.0.0.1", "-"], two);
    await logIn(await leaderOf(lab), "app'`\\", two);
    await succeed(first, ["mysql", "changepassword", "app'`\\", "127.0.0.1", three]);
    await logIn(await leaderOf(lab), "app'`\\", three);
    const grants = ["--database", "shop", "--privs", "select, Insert,", "--passwd", four];
    await succeed(first, ["mysql", "createuserwithgrants", "--user", "clerk", ...grants]);
    const refused = await xenon(first, ["mysql", "createuser", "x", "%", "NO"]);
    assert.match(failureOf(refused), /standard input is no terminal/);
  });

  await test.step("getuser prints the original's JSON", async () => {
    const users = JSON.parse(await succeed(first, ["mysql", "getuser"]));
    const find = (name: string) => users.find(({ User }: { User: string }) => User === name);
    assert.deepEqual(find("boss"), { User: "boss", Host: "%", SuperPriv: "Y" });
    assert.deepEqual(find("clerk"), { User: "clerk", Host: "%", SuperPriv: "N" });
  });

  await test.step("accounts are dropped; the cluster's own are not touched", async () => {
    await succeed(first, ["mysql", "dropuser", "clerk", "%"]);
    assert.match(failureOf(await xenon(first, ["mysql", "dropuser", "clerk", "%"])), /there is no/);
    assert.match(
      failureOf(await xenon(first, ["mysql", "dropuser", "repl", "%"])),
      /cluster itself/,
    );
    const root = ["mysql", "createuser", "root", "10.%", "-", "NO"];
    assert.match(failureOf(await xenon(first, root, "x")), /cluster itself logs in as "root"/);
  });

  await test.step("no password is in any log", async () => {
    for (const { logPath, name } of lab.nodes) {
      const log = await Deno.readTextFile(logPath);
      assert.doesNotMatch(log, /geheim/, name);
    }
  });

  await test.step("wrong words are refused before anybody is asked", async () => {
    for (
      const words of [
        ["createuser", "app", "%", "geheim drei", "maybe"],
        ["createuserwithgrants", "--user", "x", "--privs", "SUPER"],
      ]
    ) {
      const result = await xenon(first, ["mysql", ...words]);
      assert.deepEqual(result.ended, { how: "exit", code: 2 }, words.join(" "));
      assert.doesNotMatch(result.stderrTail, /geheim/);
    }
  });
}

async function settings(test: Deno.TestContext, lab: Lab): Promise<void> {
  await test.step("sysvar sets what is not the agent's", async () => {
    const [, second] = await followersOf(lab);
    const said = await succeed(second, ["mysql", "sysvar", "set global Long_Query_Time=0.75;"]);
    assert.equal(said, "long_query_time set until mysqld restarts\n");
    await using connection = await second.root(5_000);
    const [row] = await connection.query("SELECT @@GLOBAL.long_query_time AS t", quick);
    assert.equal(Number(row?.t), 0.75);
    for (
      const [statement, because] of [
        ["SET GLOBAL read_only=0", /the agent alone decides read_only/],
        ["SET GLOBAL a=1; DROP TABLE t", /expected a number, a word/],
        ["DROP TABLE t", /expected "SET GLOBAL name=value"/],
        ["SET GLOBAL no_such_variable=1", /Unknown system variable/],
      ] as const
    ) {
      const refused = await xenon(second, ["mysql", "sysvar", statement]);
      assert.match(failureOf(refused), because, statement);
    }
    const leader = await leaderOf(lab);
    const loose = await xenon(leader, ["mysql", "sysvar", "SET GLOBAL sync_binlog=0"]);
    assert.match(failureOf(loose), /sync_binlog must be 1 on the leader/);
  });
}

async function monitor(test: Deno.TestContext, lab: Lab): Promise<void> {
  const [node] = await followersOf(lab);

  await test.step("kill ends the server, and the monitor starts it again", async () => {
    const before = await node.serverProcess();
    const said = await succeed(node, ["mysql", "kill"]);
    assert.match(said, new RegExp(`mysqld ${before?.pid} is killed; the monitor starts it again`));
    // The statuses of the moment before the kill would still call the cluster whole.
    const again = await poll(patienceMs, async () => {
      const now = await node.serverProcess();
      return now !== null && now.pid !== before?.pid ? true : null;
    });
    assert.ok(again, "the monitor starts another server");
    assert.ok(await lab.waitWhole(patienceMs), "the cluster is whole again");
  });

  await test.step("without the monitor a killed server stays dead, also for the next agent", async () => {
    assert.match(await succeed(node, ["mysql", "stopmonitor"]), /not started again when it dies/);
    assert.match(await succeed(node, ["mysql", "kill"]), /start it with "xenon mysql start"/);
    await restartAgent(node);
    await settled(node, (status) => /MySQL is dead/.test(status.sentence));
    const status = JSON.parse(await succeed(node, ["mysql", "status"]));
    assert.deepEqual([status.monitor, status.mysqld_running], ["OFF", false]);
    assert.equal(await node.serverProcess(), null);
  });

  await test.step("start waits until the server answers, or tells why it does not", async () => {
    assert.match(await succeed(node, ["mysql", "start"]), /^mysqld runs \(pid \d+\) and answers/);
    assert.match(await succeed(node, ["mysql", "start"]), /^mysqld runs already/);
    await succeed(node, ["mysql", "kill"]);
    const { myCnfPath } = node.sandbox;
    const good = await Deno.readTextFile(myCnfPath);
    await Deno.writeTextFile(myCnfPath, `${good}\nno_such_option=1\n`);
    const failed = await xenon(node, ["mysql", "start"]);
    assert.match(failureOf(failed), /no_such_option[^]*Cannot start mysqld: mysqld ended/);
    await Deno.writeTextFile(myCnfPath, good);
    await succeed(node, ["mysql", "start"]);
    assert.match(await succeed(node, ["mysql", "startmonitor"]), /started again when it dies/);
    assert.ok(await lab.waitWhole(patienceMs), "the cluster is whole again");
  });
}

async function shutdowns(test: Deno.TestContext, lab: Lab): Promise<void> {
  await test.step("a leader hands over before its server stops, and stays down", async () => {
    const leader = await leaderOf(lab);
    const result = await xenon(leader, ["mysql", "shutdown"]);
    assert.equal(result.stdoutTail, 'mysqld is stopped; it stays down until "xenon mysql start"\n');
    assert.match(
      result.stderrTail,
      /^Handing the leadership over to 127[^]*Stopping mysqld \d+\n/,
    );
    assert.ok(await lab.waitForLeader(patienceMs, [leader]), "another node leads");
    const log = await Deno.readTextFile(leader.sandbox.errorLog);
    assert.doesNotMatch(log, /Forced shutdown/, "nobody was told a commit that nobody else has");
    await restartAgent(leader);
    await settled(leader, ({ sentence }) => /an operator stopped MySQL: "xenon my/.test(sentence));
    assert.equal(await leader.serverProcess(), null);
    const held = await lab.nodes.find((node) => node !== leader)?.status();
    assert.equal(held?.mysqld.monitor, "ON");
    await succeed(leader, ["mysql", "start"]);
    assert.ok(await lab.waitWhole(patienceMs), "the cluster is whole again");
  });

  await test.step("without a successor a leader's server is stopped only by force", async () => {
    const leader = await leaderOf(lab);
    const followers = await followersOf(lab);
    await Promise.all(followers.map((node) => succeed(node, ["mysql", "shutdown"])));
    const refused = await xenon(leader, ["mysql", "shutdown"]);
    assert.match(failureOf(refused), /Nothing was changed, as this node leads.*--force/);
    assert.ok(await leader.open(), "it goes on leading");
    const forced = await succeed(leader, ["mysql", "shutdown", "--force"]);
    assert.match(forced, /^mysqld is stopped/);
    await Promise.all(lab.nodes.map((node) => succeed(node, ["mysql", "start"])));
    assert.ok(await lab.waitWhole(patienceMs), "the cluster is whole again");
  });
}

async function binaryLogs(test: Deno.TestContext, lab: Lab): Promise<void> {
  await test.step("binary logs that all have go, on every node; two always stay", async () => {
    const leader = await leaderOf(lab);
    await rotate(leader, 4);
    for (const node of await followersOf(lab)) await rotate(node, 3);
    for (const node of lab.nodes) await untilLogs(node, (count) => count === 2);
  });

  await test.step("a member that is down keeps them, and the sentence says so", async () => {
    const [away, other] = await followersOf(lab);
    await succeed(away, ["mysql", "shutdown"]);
    const leader = await leaderOf(lab);
    await rotate(leader, 4);
    const because = new RegExp(`binary logs are kept: nobody knows what ${away.id} has`);
    await settled(leader, ({ sentence }) => because.test(sentence));
    const before = await countLogs(leader);
    assert.ok(before >= 6, `${before} binary logs are there`);
    await succeed(leader, ["raft", "disablepurgebinlog"]);
    await succeed(away, ["mysql", "start"]);
    assert.ok(await lab.waitWhole(patienceMs), "the cluster is whole again");
    await rotate(other, 3);
    await untilLogs(other, (count) => count === 2);
    assert.ok(await countLogs(leader) >= before, "a node that was told not to keeps its own");
    await succeed(leader, ["raft", "enablepurgebinlog"]);
    await untilLogs(leader, (count) => count === 2);
  });
}

async function semiSync(test: Deno.TestContext, lab: Lab): Promise<void> {
  await test.step("unchecked semi-sync is said loudly, and repaired when it is checked", async () => {
    const leader = await leaderOf(lab);
    await succeed(leader, ["raft", "disablechecksemisync"]);
    await settled(leader, ({ sentence }) => /semi-sync is not checked here/.test(sentence));
    await using connection = await leader.root(5_000);
    await connection.query("SET GLOBAL rpl_semi_sync_source_enabled = OFF", quick);
    await settled(
      leader,
      ({ sentence, margin }) =>
        /WRITES ARE NOT SAFE: semi-sync is OFF/.test(sentence) && /NOT SAFE/.test(margin.sentence),
    );
    await succeed(leader, ["raft", "enablechecksemisync"]);
    await settled(
      leader,
      ({ sentence, mysql }) => mysql.semiSync.source && !/semi-sync/.test(sentence),
    );
  });
}

async function emptyCopy(test: Deno.TestContext, lab: Lab): Promise<void> {
  await test.step("a copy that is too old for the binary logs is told to be rebuilt", async () => {
    const [node] = await followersOf(lab);
    await node.replaceCopy();
    const because = /the source has removed binary logs that this server needs: .*rebuildme/;
    await settled(node, ({ sentence }) => because.test(sentence));
  });
}

async function nobodyLeads(test: Deno.TestContext, lab: Lab): Promise<void> {
  await test.step("without a leader or an agent the commands end with the reason", async () => {
    const leader = await leaderOf(lab);
    const [one, two] = await followersOf(lab);
    leader.signalAgent("SIGKILL");
    two.signalAgent("SIGKILL");
    await settled(one, ({ leader }) => leader === "");
    const refused = await xenon(one, ["mysql", "getuser"]);
    assert.match(failureOf(refused), /Cannot list the accounts: nobody leads just now/);
    const silent = await xenon(two, ["mysql", "createuser", "x", "%", "-", "NO"], "geheim");
    assert.match(failureOf(silent), /Cannot reach the agent at "127\.0\.0\.1:\d+"/);
    assert.doesNotMatch(describeResult(silent), /geheim/);
  });
}

type Status = NonNullable<Awaited<ReturnType<LabNode["status"]>>>;

async function settled(node: LabNode, holds: (status: Status) => boolean): Promise<void> {
  let last: Status | null = null;
  const found = await poll(patienceMs, async () => {
    last = await node.status();
    return last !== null && holds(last) ? true : null;
  });
  assert.ok(found, `${node.name} says: ${JSON.stringify(last)}`);
}

async function leaderOf(lab: Lab): Promise<LabNode> {
  const leader = await lab.waitForLeader(patienceMs);
  assert.ok(leader, "somebody leads");
  return leader;
}

async function followersOf(lab: Lab): Promise<readonly [LabNode, LabNode]> {
  const leader = await leaderOf(lab);
  const [one, two] = lab.nodes.filter((node) => node !== leader);
  assert.ok(one !== undefined && two !== undefined);
  return [one, two];
}

async function restartAgent(node: LabNode): Promise<void> {
  node.signalAgent("SIGKILL");
  await poll(patienceMs, () => Promise.resolve(node.agentAlive ? null : true));
  await node.startAgent();
  await settled(node, () => true);
}

function xenon(node: LabNode, words: readonly string[], stdin?: string): Promise<ProcessResult> {
  const command = [...program, "--config", node.configPath, ...words];
  return run(command, { deadlineMs: commandMs, ...(stdin === undefined ? {} : { stdin }) });
}

async function succeed(node: LabNode, words: readonly string[], stdin?: string): Promise<string> {
  const result = await xenon(node, words, stdin);
  const shown = `${words.slice(0, 2).join(" ")}: ${result.stderrTail}`;
  assert.deepEqual(result.ended, { how: "exit", code: 0 }, shown);
  return result.stdoutTail;
}

function failureOf(result: ProcessResult): string {
  assert.deepEqual(result.ended, { how: "exit", code: 1 }, result.stdoutTail);
  assert.equal(result.stdoutTail, "");
  return result.stderrTail;
}

async function logIn(node: LabNode, user: string, password: string): Promise<void> {
  const [host = "", port = ""] = node.mysql.split(":");
  const options = { user, password, host, port: Number(port), connectMs: 10_000 };
  await using _connection = await Connection.connect(options);
}

async function rotate(node: LabNode, times: number): Promise<void> {
  await using connection = await node.root(5_000);
  for (let count = 0; count < times; count++) await connection.query("FLUSH BINARY LOGS", quick);
}

async function countLogs(node: LabNode): Promise<number> {
  await using connection = await node.root(5_000);
  return (await connection.query("SHOW BINARY LOGS", quick)).length;
}

async function untilLogs(node: LabNode, holds: (count: number) => boolean): Promise<void> {
  let count = 0;
  const found = await poll(patienceMs, async () => {
    count = await countLogs(node);
    return holds(count) ? true : null;
  });
  assert.ok(found, `${node.name} has ${count} binary logs: ${(await node.status())?.sentence}`);
}
