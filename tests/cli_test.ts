/** The program as a black box: a child process that talks to agents over real sockets. */
import assert from "node:assert/strict";
import { secretText, withAgents, writeSecret, xenon } from "./fake_agents.ts";

Deno.test("xenon cluster status prints the table of three agents and ends with 0", async () => {
  await withAgents(async ({ members, config }) => {
    const { code, stdout, stderr } = await xenon(["cluster", "status", "--config", config]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /\(3 rows\)\nn=3 q=2 k=1/);
    for (const member of members) assert.ok(stdout.includes(`\n${member}: `), stdout);
  });
});

Deno.test("xenon cluster status does not hang on a host that accepts and never answers", async () => {
  await withAgents(async ({ members, config, freeze }) => {
    const [, second = ""] = members;
    await freeze(second);
    const startedAt = performance.now();
    const words = ["cluster", "status", "--config", config, "--timeout", "0.5"];
    const { code, stdout } = await xenon(words);
    assert.equal(code, 3);
    assert.match(stdout, /\| UNKNOW /);
    assert.match(stdout, new RegExp(`\n${second}: no facts: .*did not answer within 500 ms\n`));
    assert.ok(performance.now() - startedAt < 20_000, "far less than any network gives up after");
  });
});

Deno.test("a member with another secret is named with its own sentence by every command", async () => {
  const secrets = [secretText, "the secret of another cluster", secretText];
  await withAgents(async ({ members, config }) => {
    const [, other = ""] = members;
    const because = `Node ${other} did not prove that it knows our secret: its rpc.secret-file ` +
      "differs or is not set, or another program uses the port";
    const status = await xenon(["cluster", "status", "--config", config]);
    assert.equal(status.code, 3);
    assert.ok(status.stdout.includes(`\n${other}: no facts: ${because}\n`), status.stdout);
    const log = await xenon(["cluster", "log", "--config", config]);
    assert.equal(log.code, 3);
    assert.ok(log.stderr.includes(`xenon: ${other}: no lines: ${because}\n`), log.stderr);
    for (const kind of ["gtid", "mysql", "raft", "xenon"]) {
      assert.equal((await xenon(["cluster", kind, "--config", config])).code, 3, kind);
    }
    assert.ok(!`${status.stdout}${log.stderr}`.includes("another cluster"));
  }, { secrets });
});

Deno.test("every command says in one line that its own secret is not the agent's", async () => {
  await withAgents(async ({ config, folder }) => {
    await writeSecret(`${folder}/secret`, "quite another secret");
    const lines = ["ping", "cluster gtid", "cluster log", "cluster add 127.0.0.1:9", "raft status"];
    for (const line of [...lines, "mysql status", "raft trytoleader", "version --all"]) {
      const { code, stdout, stderr } = await xenon([...line.split(" "), "--config", config]);
      assert.deepEqual([code, stdout], [1, ""], line);
      assert.match(stderr, /^xenon: Cannot .* did not prove that it knows our secret: .*\n$/, line);
      assert.match(stderr, /; next: .*\n$/, line);
    }
  });
});

Deno.test("xenon shows in one line that its secret is not the agents'", async () => {
  await withAgents(async ({ config, folder }) => {
    await writeSecret(`${folder}/secret`, "quite another secret");
    const { code, stdout, stderr } = await xenon(["raft", "nodes", "--config", config]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^xenon: Cannot go on as the agent at .* refused: .*\n$/);
    assert.ok(!stderr.includes("another secret"), "a secret is never printed");
  });
});

Deno.test("xenon raft trytoleader shows the agent's own reason for a refusal", async () => {
  await withAgents(async ({ config }) => {
    const { code, stderr } = await xenon(["raft", "trytoleader", "--config", config]);
    assert.equal(code, 1);
    assert.match(stderr, /Cannot make "127\.0\.0\.1:\d+" the leader: .*not today/);
  });
});

Deno.test("xenon finds its config by config.path in the working folder", async () => {
  await withAgents(async ({ members, config, folder }) => {
    await Deno.writeTextFile(`${folder}/config.path`, `${config}\n`);
    const { code, stdout } = await xenon(["raft", "status"], folder);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout).nodes, members);
  });
});
