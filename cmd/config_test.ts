import assert from "node:assert/strict";
import { exitCodes } from "./exit.ts";
import { createFakeWorld } from "./fake_world.ts";
import type { FileFindings, Programs } from "./ports.ts";
import { run } from "./run.ts";

const good = '[server]\nendpoint = "127.0.0.1:8801"\n[mysql]\npasswd = "s3cret"\n';
const fine: FileFindings = { problems: [], warnings: [] };

interface Place {
  readonly files: Readonly<Record<string, string>>;
  readonly findings?: FileFindings;
}

async function xenon(line: string, { files, findings = fine }: Place) {
  const written: Record<string, { readonly text: string; readonly replace: boolean }> = {};
  const programs = {
    checkFiles: () => Promise.resolve(findings),
    writePrivate: (path: string, text: string, { replace }: { readonly replace: boolean }) => {
      written[path] = { text, replace };
      return Promise.resolve();
    },
  } as unknown as Programs;
  const world = createFakeWorld({ readText: (path) => Promise.resolve(files[path]) });
  return { written, ...await run(line.split(" "), { world, programs }) };
}

Deno.test("config check praises a good file and lists its warnings", async () => {
  const place = { files: { "/etc/xenon/xenon.toml": good } };
  const { code, stdout, stderr } = await xenon("config check", place);
  assert.deepEqual([code, stdout, stderr], [0, "/etc/xenon/xenon.toml is good\n", ""]);
  const warned = await xenon("config check /etc/a.toml", {
    files: { "/etc/a.toml": `${good}\n[replication]\ngtid-purged = ""\n` },
    findings: { problems: [], warnings: ["others can read it"] },
  });
  assert.equal(warned.code, exitCodes.ok);
  assert.match(
    warned.stdout,
    /^warning: \/etc\/a\.toml:7:1 replication\.gtid-purged: Has no effect.*\nwarning: \/etc\/a\.toml others can read it\n\/etc\/a\.toml is good, with 2 warnings\n$/,
  );
});

Deno.test("config check lists every problem, also of the files that the config names", async () => {
  const wrong = await xenon("config check x.toml", {
    files: { "/home/op/x.toml": '[server]\nendpoint = "here"\n[raft]\nwitnes = true\n' },
  });
  assert.equal(wrong.code, exitCodes.failed);
  assert.match(wrong.stdout, /^problem: .*x\.toml:2:1 server\.endpoint: .*\nproblem: .*:4:1 raft/);
  assert.match(
    wrong.stderr,
    /^xenon: Cannot use the config ".*x\.toml" as it has 2 problems; next/,
  );
  const files = await xenon("config check -o json", {
    files: { "/etc/xenon/xenon.toml": good },
    findings: { problems: ["Cannot use rpc.secret-file"], warnings: [] },
  });
  assert.equal(files.code, exitCodes.failed);
  assert.equal(JSON.parse(files.stdout).good, false);
});

Deno.test("config show prints values with their origin, and no password", async () => {
  const place = { files: { "/etc/xenon/xenon.toml": good } };
  const { code, stdout } = await xenon("config show -o tsv", place);
  assert.equal(code, exitCodes.ok);
  assert.match(stdout, /^server\.endpoint\t127\.0\.0\.1:8801\tfile$/m);
  assert.match(stdout, /^mysql\.passwd\t\(hidden\)\tfile$/m);
  assert.match(stdout, /^raft\.lease-timeout\t700\tderived$/m);
  assert.match(stdout, /^mysql\.port\t3306\tdefault$/m);
  assert.doesNotMatch(stdout, /s3cret/);
  const json = JSON.parse((await xenon("config show -o json", place)).stdout);
  assert.deepEqual(json.settings.mysql.passwd, { value: "(hidden)", origin: "file" });
});

Deno.test("config convert prints the result without passwords, or writes it with them", async () => {
  const json = '{ "server": { "endpoint": "10.0.0.1:8801" }, "mysql": { "passwd": "s3cret" } }';
  const place = { files: { "xenon.json": json } };
  const shown = await xenon("config convert xenon.json", place);
  assert.equal(shown.code, exitCodes.ok);
  assert.match(shown.stdout, /^\[server\]\nendpoint = "10\.0\.0\.1:8801"$/m);
  assert.match(shown.stderr, /^xenon: mysql\.passwd: passwords are written into a file only/m);
  assert.doesNotMatch(shown.stdout + shown.stderr, /s3cret/);
  const saved = await xenon("config convert xenon.json --to /etc/x.toml --force", place);
  assert.equal(saved.stdout, "Wrote /etc/x.toml\n");
  assert.equal(saved.written["/etc/x.toml"]?.replace, true);
  assert.match(saved.written["/etc/x.toml"]?.text ?? "", /^passwd = "s3cret"$/m);
  assert.doesNotMatch(saved.stdout + saved.stderr, /s3cret/);
});

Deno.test("config convert names the place of a mistake, a missing file and what is still wrong", async () => {
  const files = {
    "a.json": '{ "mysql": { "passwd": "s3cret" ',
    "b.json": '{ "raft": { "heartbeat-timeout": 2900 } }',
  };
  const broken = await xenon("config convert a.json", { files });
  assert.match(broken.stderr, /Cannot read "a\.json" as JSON, see line 1, column \d+; next/);
  assert.doesNotMatch(broken.stderr, /s3cret/);
  const missing = await xenon("config convert c.json", { files });
  assert.match(missing.stderr, /Cannot read "c\.json", which does not exist/);
  const unusable = await xenon("config convert b.json", { files });
  assert.equal(unusable.code, exitCodes.failed);
  assert.match(
    unusable.stderr,
    /raft\.election-timeout: Two heartbeats must fit.*\n.*keep an agent/,
  );
});
