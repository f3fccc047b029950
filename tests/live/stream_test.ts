/**
 * A copy of a running server goes over a real sshd to another host, and whatever can go wrong on its
 * way does so once. What takes the copy is a stand-in: see tests/fixtures/xtrabackup.
 */
import assert from "node:assert/strict";
import { removeSoon } from "../../backup/folder.ts";
import { Sending } from "../../backup/sending.ts";
import { sshCommand, type SshIdentity } from "../../backup/ssh.ts";
import { sendCopy, type SendLimits, type SendResult } from "../../backup/stream.ts";
import {
  backupCommand,
  optionFile,
  prepareCommand,
  readInfo,
  readPosition,
  receiveCommand,
  whyUnfinished,
} from "../../backup/xtrabackup.ts";
import { poll } from "../../cmd/demo/lab.ts";
import { count, parse } from "../../mysql/gtid.ts";
import { run } from "../../mysql/process.ts";
import {
  connectAsRoot,
  createSandbox,
  openForWrites,
  type Sandbox,
  startSandbox,
} from "../../mysql/sandbox.ts";
import { installStandin, whyNoStandin } from "../fixtures/xtrabackup/install.ts";
import { commandLineOf, sampleCommandLines } from "./command_lines.ts";
import { type Host, HostNetwork, testWithHosts } from "./hosts.ts";
import { isolated } from "./hosts_faults.ts";
import { Sshd, SshKeys, whyNoSshd } from "./hosts_sshd.ts";
import { signalOne } from "./hosts_sweep.ts";
import { cacheFolder, findMysqld, TemporaryFolder } from "./lab.ts";

const startMs = 60_000;
const statementMs = 10_000;
const patienceMs = 60_000;
const secretPart = crypto.getRandomValues(new Uint8Array(8)).toHex();
/** With everything that has to be quoted somewhere. */
const password = `pa#ss"wo rd\\'${secretPart}`;
const partBytes = 20_000_000;
/** 10 MB a second, so that there is time for a fault. */
const slow = 1;
const fast = 100_000;

/** One transaction each, on the donor. */
const preparations = [
  "CREATE DATABASE d",
  "CREATE DATABASE nothing_inside",
  "CREATE TABLE d.t (n BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, x INT)",
  `ALTER USER root@localhost IDENTIFIED BY '${
    password.replaceAll("\\", "\\\\").replaceAll("'", "''")
  }'`,
];

/** Two hosts, a server on the first one, and an sshd on the second. */
class Lab implements AsyncDisposable {
  readonly network: HostNetwork;
  readonly folder = new TemporaryFolder();
  readonly donor: Host;
  readonly joiner: Host;
  readonly sshd: Sshd;
  keys!: SshKeys;
  server!: Sandbox;
  #sends = 0;

  constructor(network: HostNetwork) {
    this.network = network;
    this.donor = network.host(1);
    this.joiner = network.host(2);
    this.sshd = new Sshd(this.joiner, `${this.folder.path}/sshd`);
  }

  static async open(): Promise<Lab> {
    const lab = new Lab(await HostNetwork.open(2));
    try {
      await lab.#start();
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sshd.stop();
    await this.network[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }

  get toolFolder(): string {
    return `${this.folder.path}/bin`;
  }

  /** An empty folder on the joiner. */
  target(name: string): string {
    const path = `${this.folder.path}/${name}`;
    Deno.mkdirSync(path);
    return path;
  }

  /** Sends a copy from the donor to a folder of the joiner. */
  async send(target: string, wish: {
    readonly throttle?: number;
    readonly identity?: SshIdentity;
    readonly limits?: Partial<SendLimits>;
  } = {}): Promise<SendResult> {
    const workFolder = `${this.folder.path}/send${++this.#sends}`;
    Deno.mkdirSync(workFolder, { mode: 0o700 });
    const options = `${workFolder}/options.cnf`;
    const text = optionFile(this.server.myCnfPath, password);
    Deno.writeTextFileSync(options, text, { mode: 0o600 });
    const { toolFolder } = this;
    const server = { user: "root", host: "", port: 0, socket: this.server.socket };
    const throttle = wish.throttle ?? fast;
    const copying = { toolFolder, optionFile: options, server, workFolder, parallel: 2, throttle };
    const identity = wish.identity ?? this.keys.identity;
    const { place } = this.sshd;
    const receiving = receiveCommand({ toolFolder, folder: target, parallel: 2 });
    const limits: SendLimits = {
      deadlineMs: 300_000,
      silenceMs: 60_000,
      signal: new AbortController().signal,
      onBytes: () => {},
      ...wish.limits,
    };
    try {
      return await sendCopy({
        source: this.donor.command(backupCommand(copying)),
        sink: this.donor.command(sshCommand(place, identity, receiving)),
        place,
        identity,
        workFolder,
      }, limits);
    } finally {
      assert.ok(await removeSoon(workFolder), "nobody writes there any more");
    }
  }

  /** Files of a server that is empty. */
  async empty(folder: string): Promise<Sandbox> {
    const mysqld = await findMysqld();
    return await createSandbox({ mysqld, folder, cacheFolder, serverId: 1, port: 3306 });
  }

  async #start(): Promise<void> {
    const mysqld = await findMysqld();
    installStandin(this.toolFolder, mysqld);
    this.keys = await SshKeys.make(`${this.folder.path}/keys`);
    await this.sshd.start(this.keys);
    this.keys.know(this.sshd);
    const made = await this.empty(`${this.folder.path}/server`);
    this.server = this.donor.server(made, `${this.folder.path}/server-bin`);
    await startSandbox(this.server, { deadlineMs: startMs });
    await openForWrites(this.server);
    await using root = await connectAsRoot(this.server, statementMs);
    for (const sql of preparations) await root.query(sql, { deadlineMs: statementMs });
    this.server = { ...this.server, rootPassword: password };
  }
}

const hindrance = whyNoSshd() ?? await whyNoStandin();

await testWithHosts("a copy goes over ssh, or says why not", async (test) => {
  await using lab = await Lab.open();
  await test.step("a copy of a server under load holds what its position says", () => good(lab));
  await test.step("a missing tool, missing grants and a missing sshd are told together", () =>
    checkedTogether(lab));
  for (const [name, step] of Object.entries({ ...refusals, ...faults })) {
    await test.step(name, () => step(lab));
    await nothingLeft(lab);
  }
}, hindrance);

/** What is wrong before the first byte. Each names the next step. */
const refusals: Readonly<Record<string, (lab: Lab) => Promise<void>>> = {
  "an unknown host key is refused": async (lab) => {
    lab.keys.forget();
    const { because } = await lab.send(lab.target("unknown-key"));
    assert.match(because ?? "", /host key of .* is not known here: run "ssh-keyscan /);
  },
  "a changed host key is refused as such": async (lab) => {
    const other = new Sshd(lab.joiner, `${lab.folder.path}/other`);
    await other.makeHostKey();
    lab.keys.know(other);
    const { because } = await lab.send(lab.target("changed-key"));
    assert.match(because ?? "", /is not the one that is known .* "ssh-keygen -f .* -R /);
    lab.keys.forget();
    lab.keys.know(lab.sshd);
  },
  "a login with a wrong key is refused": async (lab) => {
    const keys = await SshKeys.make(`${lab.folder.path}/stranger`);
    keys.know(lab.sshd);
    const { because } = await lab.send(lab.target("wrong-login"), { identity: keys.identity });
    assert.match(because ?? "", /accepts none of our keys: run "ssh-copy-id -i /);
  },
  "a missing sshd is named": async (lab) => {
    await lab.sshd.stop();
    const { because } = await lab.send(lab.target("no-sshd"));
    await lab.sshd.start(lab.keys);
    assert.match(because ?? "", /no sshd listens at /);
  },
};

/** What a donor can know before anybody wants a copy. */
async function checkedTogether(lab: Lab): Promise<void> {
  await using root = await connectAsRoot(lab.server, statementMs);
  const poor = [
    "SET sql_log_bin = 0",
    `CREATE USER poor@localhost IDENTIFIED BY '${secretPart}'`,
    "GRANT PROCESS ON *.* TO poor@localhost",
  ];
  for (const sql of poor) await root.query(sql, { deadlineMs: statementMs });
  const sending = new Sending({
    toolFolder: `${lab.folder.path}/nothing`,
    identity: lab.keys.identity,
    server: { user: "poor", host: "", port: 0, socket: lab.server.socket },
    password: () => secretPart,
    defaultsFile: lab.server.myCnfPath,
    parentFolder: lab.folder.path,
  });
  // Nobody listens there.
  const destination = { user: "root", host: "127.0.0.1", port: 1, toolFolder: lab.toolFolder };
  const { problems } = await sending.check(destination);
  await root.query("DROP USER poor@localhost", { deadlineMs: statementMs });
  const [tool = "", privileges = "", table = "", login = ""] = problems;
  assert.match(tool, /install Percona XtraBackup/);
  assert.match(privileges, /lacks BACKUP_ADMIN, RELOAD, LOCK TABLES, REPLICATION CLIENT on \*/);
  assert.match(table, /GRANT SELECT ON performance_schema\.log_status TO 'poor'@'localhost'/);
  assert.match(login, /no sshd listens/);
}

/** What goes wrong on the way. */
const faults: Readonly<Record<string, (lab: Lab) => Promise<void>>> = {
  "a full disk of the joiner ends it": async (lab) => {
    const disk = await lab.network.smallDisk("joiner", 20);
    const { because } = await lab.send(disk);
    assert.match(because ?? "", /the disk of .* is full/);
  },
  "a cut link ends it": async (lab) => {
    const { because } = await lab.send(lab.target("cut"), {
      throttle: slow,
      limits: { onBytes: once(() => lab.network.fault(isolated(lab.joiner.name))) },
    });
    await lab.network.heal();
    assert.match(because ?? "", /the connection to .* broke/);
  },
  "a cancel ends both sides at once": async (lab) => {
    const cancel = new AbortController();
    let cancelledAt = Infinity;
    const result = await lab.send(lab.target("cancel"), {
      throttle: slow,
      limits: {
        signal: cancel.signal,
        onBytes: once(() => {
          cancelledAt = performance.now();
          cancel.abort();
        }),
      },
    });
    assert.equal(result.because, "it was canceled");
    assert.ok(performance.now() - cancelledAt < 10_000);
  },
  "a killed xtrabackup is the reason, not what follows from it": async (lab) => {
    const { because } = await lab.send(lab.target("killed"), {
      throttle: slow,
      limits: { onBytes: once(() => killTool(lab)) },
    });
    assert.match(because ?? "", /xtrabackup was ended by SIGKILL/);
  },
  "output without its last line is no copy, whatever the exit code says": async (lab) => {
    const tool = `${lab.toolFolder}/xtrabackup`;
    Deno.renameSync(tool, `${tool}.real`);
    const filter = `"$0.real" "$@" 2>"$0.log"; code=$?; grep -v 'completed OK' "$0.log" >&2`;
    Deno.writeTextFileSync(tool, `#!/bin/sh\n${filter}; exit $code\n`, { mode: 0o755 });
    const { because } = await lab.send(lab.target("no-marker"));
    Deno.renameSync(`${tool}.real`, tool);
    assert.match(because ?? "", /xtrabackup did not finish: its last line is not "completed OK!"/);
  },
};

async function good(lab: Lab): Promise<void> {
  const stop = new AbortController();
  const writing = write(lab.server, stop.signal);
  const sampled = sampleCommandLines(stop.signal);
  const target = lab.target("good");
  let told = 0;
  const result = await lab.send(target, { limits: { onBytes: () => told++ } });
  stop.abort();
  await writing;
  assert.equal(result.because, null);
  assert.ok(result.bytes > 10_000_000 && told > 0, `${result.bytes} bytes, told ${told} times`);
  const read = (name: string) => Deno.readTextFileSync(`${target}/${name}`);
  const position = readPosition(read("xtrabackup_binlog_info"));
  assert.equal(readInfo(read("xtrabackup_info")).gtidSet, position);
  const wish = { toolFolder: lab.toolFolder, folder: target, useMemory: "64MB" };
  const prepared = await run(prepareCommand(wish), { deadlineMs: patienceMs });
  assert.equal(whyUnfinished(prepared.stderrTail), null);
  await holds(lab, target, position);
  for (const line of await sampled) assert.ok(!line.includes(secretPart), line);
  await nothingLeft(lab);
}

/** The copy starts, and its rows are those of the transactions that it names, no more and no less. */
async function holds(lab: Lab, copy: string, position: string): Promise<void> {
  const [folder, bin] = [`${lab.folder.path}/copy`, `${lab.folder.path}/copy-bin`];
  const made = await lab.empty(folder);
  Deno.removeSync(made.dataFolder, { recursive: true });
  Deno.renameSync(copy, made.dataFolder);
  const server = { ...lab.joiner.server(made, bin), rootPassword: password };
  await startSandbox(server, { deadlineMs: startMs });
  await using root = await connectAsRoot(server, statementMs);
  const sql =
    "SELECT COUNT(*) AS rows_, MAX(n) AS last, @@GLOBAL.gtid_executed AS executed FROM d.t";
  const [row] = await root.query(sql, { deadlineMs: statementMs });
  const rows = Number(row?.["rows_"]);
  assert.equal(String(row?.["executed"]), position);
  assert.equal(Number(row?.["last"]), rows);
  assert.equal(count(parse(position)), BigInt(rows + preparations.length));
}

/** Only the server and sshd run when a copy has ended, however it did. */
async function nothingLeft(lab: Lab): Promise<void> {
  let left: readonly string[] = [];
  const gone = await poll(patienceMs, async () => {
    const pids = [...await lab.donor.pids(), ...await lab.joiner.pids()];
    left = pids.map(commandLineOf).filter((line) => /xtrabackup|xbstream|mbstream|ssh /.test(line));
    return left.length === 0 ? true : null;
  });
  assert.ok(gone, left.join("\n"));
}

async function killTool(lab: Lab): Promise<void> {
  for (const pid of await lab.donor.pids()) {
    if (/xtrabackup\/main\.ts/.test(commandLineOf(pid))) signalOne(pid, "SIGKILL");
  }
}

/** Calls once, when a good part is on its way. */
function once(act: () => unknown): (bytes: number) => void {
  let done = false;
  return (bytes) => {
    if (done || bytes < partBytes) return;
    done = true;
    act();
  };
}

/** Inserts rows, one a transaction, until it is told to stop. */
async function write(server: Sandbox, signal: AbortSignal): Promise<void> {
  await using root = await connectAsRoot(server, statementMs);
  while (!signal.aborted) {
    await root.query("INSERT INTO d.t (x) VALUES (1)", { deadlineMs: statementMs });
  }
}
