import assert from "node:assert/strict";
import { parseConfig } from "../agent/config.ts";
import { exitCodes } from "./exit.ts";
import { createFakeWorld } from "./fake_world.ts";
import type { Programs, Setup } from "./ports.ts";
import { run } from "./run.ts";

const addresses = [
  { interface: "lo", address: "127.0.0.1", prefix: 8, validSeconds: Infinity },
  { interface: "bond0", address: "192.168.0.109", prefix: 24, validSeconds: Infinity },
  { interface: "bond0", address: "fd00::9", prefix: 64, validSeconds: Infinity },
];

interface Host {
  readonly files?: Readonly<Record<string, string>>;
  /** Answers of the person at the terminal, question by question; without it nobody is there. */
  readonly answers?: readonly string[];
}

/** One run on a host with these files; passwords that are asked for are "s3cret". */
async function init(line: string, { files = {}, answers }: Host = {}) {
  const written: Record<string, string> = {};
  const replaced: string[] = [];
  const asked: string[] = [];
  const left = [...answers ?? []];
  const setup: Setup = {
    interactive: answers !== undefined,
    ask: (question) => {
      asked.push(question);
      return Promise.resolve(left.shift() ?? "");
    },
    addresses: () => Promise.resolve(addresses),
    newSecret: () => "f00d".repeat(16),
  };
  const programs = {
    openSetup: () => Promise.resolve(setup),
    writePrivate: (path: string, text: string, { replace }: { readonly replace: boolean }) => {
      written[path] = text;
      if (replace) replaced.push(path);
      return Promise.resolve();
    },
  } as unknown as Programs;
  const world = createFakeWorld({
    readText: (path) => Promise.resolve(files[path]),
    readSecret: (source) => Promise.resolve(source.kind === "given" ? source.text : "s3cret"),
  });
  const words = line.split(" ").filter((word) => word !== "");
  return { written, replaced, asked, ...await run(["init", ...words], { world, programs }) };
}

function configOf(written: Readonly<Record<string, string>>, path = "/etc/xenon/xenon.toml") {
  const result = parseConfig(written[path] ?? "nothing was written");
  assert.ok(result.kind === "config", written[path]);
  return result.config;
}

const flags = "--address 192.168.0.109 --vip 192.168.0.11 --repluser rep --replpwd -";

Deno.test("init with the original's options writes a configuration that an agent takes", async () => {
  const { code, stdout, stderr, written } = await init(flags);
  assert.deepEqual([code, stderr], [exitCodes.ok, ""]);
  const { server, vip, replication, rpc, raft } = configOf(written);
  assert.equal(server.id, "192.168.0.109:8801");
  assert.deepEqual(vip, {
    address: "192.168.0.11",
    prefix: 24,
    interface: "bond0",
    leaseMs: 1000,
  });
  assert.equal(raft.leaderStartCommand, null, "the address is no command any more");
  assert.equal(replication.user, "rep");
  assert.equal(rpc.secretFile, "/etc/xenon/secret");
  assert.equal(written["/etc/xenon/secret"], `${"f00d".repeat(16)}\n`);
  assert.match(stdout, /scp -p \/etc\/xenon\/secret HOST:\/etc\/xenon\/secret/);
  assert.doesNotMatch(stdout + stderr, /s3cret|f00d/, "neither password nor secret is printed");
});

Deno.test("init takes a secret that is there, and a password file by its name", async () => {
  const { written, stdout } = await init(
    "--config /x.toml --address fd00::9 --port 9 --replpwd-file /r --mysql-passwd-file /m",
    { files: { "/etc/xenon/secret": "the cluster's secret" } },
  );
  assert.deepEqual(Object.keys(written), ["/x.toml"]);
  const { server, replication, mysql, vip } = configOf(written, "/x.toml");
  assert.equal(server.id, "[fd00::9]:9");
  assert.deepEqual(replication.password, { kind: "file", path: "/r" });
  assert.deepEqual(mysql.password, { kind: "file", path: "/m" });
  assert.equal(vip, null);
  assert.match(stdout, /Took the secret that is in \/etc\/xenon\/secret/);
});

Deno.test("init writes how the server is started, and leaves what nobody said to the defaults", async () => {
  const own = "--mysqld /opt/bin/mysqld --service mysql@1 --defaults-file /opt/my.cnf";
  const { mysql } = configOf((await init(`${flags} ${own}`)).written);
  assert.deepEqual(
    [mysql.mysqldPath, mysql.service, mysql.defaultsFile],
    ["/opt/bin/mysqld", "mysql@1", "/opt/my.cnf"],
  );
  const usual = configOf((await init(flags)).written).mysql;
  assert.deepEqual([usual.service, usual.defaultsFile], [null, "/etc/mysql/my.cnf"]);
});

Deno.test("init asks a person for what no option says", async () => {
  const answers = ["192.168.0.109", "192.168.0.11/28", ""];
  const { code, written, asked } = await init("", { answers });
  assert.equal(code, exitCodes.ok);
  assert.equal(asked.length, 3);
  const { vip, replication, mysql } = configOf(written);
  assert.equal(vip?.prefix, 28);
  assert.equal(replication.user, "repl");
  assert.equal(
    replication.password.kind === "inline" && replication.password.secret.reveal(),
    "s3cret",
  );
  assert.equal(mysql.password.kind === "inline" && mysql.password.secret.reveal(), "s3cret");
});

Deno.test("init names the options that are missing where nobody can be asked", async () => {
  const { code, stderr, written } = await init("");
  assert.equal(code, exitCodes.usage);
  assert.match(
    stderr,
    /Cannot ask for --address IP and --replpwd-file FILE as this is no terminal/,
  );
  assert.deepEqual(written, {});
});

Deno.test("init overwrites nothing unless it is told to", async () => {
  const files = { "/etc/xenon/xenon.toml": "[server]" };
  const refused = await init(flags, { files });
  assert.equal(refused.code, exitCodes.failed);
  assert.match(refused.stderr, /xenon\.toml" as it exists already; next: .*--force/);
  assert.deepEqual(refused.written, {});
  const forced = await init(`${flags} --force`, { files });
  assert.deepEqual(forced.replaced, ["/etc/xenon/xenon.toml"], "the secret is never replaced");
});

Deno.test("init refuses an address that this host does not have, and what an agent would refuse", async () => {
  const foreign = await init("--address 10.9.9.9 --replpwd -");
  assert.match(foreign.stderr, /no interface of this host carries it, they have .*\(bond0\)/);
  const same = await init("--address 192.168.0.109 --vip 192.168.0.109 --replpwd -");
  assert.match(same.stderr, /vip\.address: 192\.168\.0\.109 is this host's own address/);
  assert.deepEqual(same.written, {});
  const wrong = await init("--address here --replpwd -");
  assert.equal(wrong.code, exitCodes.usage);
  const answered = await init("", { answers: ["here"] });
  assert.match(
    answered.stderr,
    /^xenon: Cannot go on: "here" is no address; next: answer with an IP .* --address/,
  );
});

Deno.test("init refuses an account of replicas without a name", async () => {
  const { code, stderr, written } = await init("--address 192.168.0.109 --repluser= --replpwd -");
  assert.equal(code, exitCodes.usage);
  assert.match(stderr, /--repluser.*empty/);
  assert.deepEqual(written, {});
});
