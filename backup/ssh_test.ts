import assert from "node:assert/strict";
import { explainSsh, sshCommand, type SshIdentity, type SshPlace, whyNoPlace } from "./ssh.ts";

const place: SshPlace = { user: "mysql", host: "192.168.0.2", port: 22 };
const identity: SshIdentity = { key: null, knownHosts: null, compress: false };

Deno.test("sshCommand() asks nobody, accepts known host keys only, and ends a dead link", () => {
  const command = sshCommand(place, identity, ["/usr/bin/xbstream", "-x"]);
  assert.equal(command[0], "ssh");
  for (const option of ["BatchMode=yes", "StrictHostKeyChecking=yes", "ServerAliveCountMax=3"]) {
    assert.ok(command.includes(option), option);
  }
  const end = ["-p", "22", "-l", "mysql", "--", "192.168.0.2", "/usr/bin/xbstream -x"];
  assert.deepEqual(command.slice(-7), end);
});

Deno.test("sshCommand() quotes what the shell at the other end must not read", () => {
  const command = sshCommand(place, identity, ["x", "-C", "/a b/$(reboot)/it's"]);
  assert.equal(command.at(-1), `x -C '/a b/$(reboot)/it'\\''s'`);
});

Deno.test("sshCommand() takes a key and known hosts of its own", () => {
  const own = { key: "/k/id 1", knownHosts: "/k/hosts", compress: true };
  const command = sshCommand(place, own, ["true"]);
  for (
    const option of [
      'IdentityFile="/k/id 1"',
      "IdentitiesOnly=yes",
      'UserKnownHostsFile="/k/hosts"',
      "GlobalKnownHostsFile=none",
      "Compression=yes",
    ]
  ) assert.ok(command.includes(option), option);
});

Deno.test("whyNoPlace() refuses what ssh would read as an option or a command", () => {
  assert.equal(whyNoPlace(place), null);
  assert.equal(whyNoPlace({ ...place, host: "fd21::2" }), null);
  for (const host of ["", "-oProxyCommand=x", "a b", "a;b", "$(x)"]) {
    assert.match(whyNoPlace({ ...place, host }) ?? "", /is no host/, host);
  }
  for (const user of ["", "-l", "a b", "a@b"]) {
    assert.match(whyNoPlace({ ...place, user }) ?? "", /is no user/, user);
  }
  assert.match(whyNoPlace({ ...place, port: 0 }) ?? "", /is no port/);
});

Deno.test("explainSsh() names the next command for each complaint", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      "No ED25519 host key is known for 192.168.0.2 and you have requested strict checking.\n" +
      "Host key verification failed.",
      /not known here: run "ssh-keyscan 192\.168\.0\.2 >> ~\/\.ssh\/known_hosts"/,
    ],
    [
      "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
      /not the one that is known .* "ssh-keygen -R '192\.168\.0\.2'"/,
    ],
    ["mysql@192.168.0.2: Permission denied (publickey).", /run "ssh-copy-id -p 22 mysql@192/],
    ["ssh: connect to host h port 22: Connection refused", /no sshd listens/],
    ["ssh: connect to host h port 22: No route to host", /cannot be reached/],
    ["Timeout, server 192.168.0.2 not responding.", /the connection .* broke/],
    ["sh: 1: /usr/bin/xbstream: not found", /install Percona XtraBackup/],
    ["mbstream: Error writing file './a' (Errcode: 28 \"No space left\")", /is full/],
    ["Can't create file './a' (Errcode: 13 - Permission denied)", /must be the user of its mysqld/],
  ];
  for (const [stderr, wanted] of cases) {
    assert.match(explainSsh(stderr, place, identity) ?? "", wanted);
  }
  assert.equal(explainSsh("anything else", place, identity), null);
});

Deno.test("explainSsh() writes another port as ssh-keygen and ssh-keyscan want it", () => {
  const other = { ...place, port: 2222 };
  const changed = explainSsh("REMOTE HOST IDENTIFICATION HAS CHANGED", other, identity) ?? "";
  assert.match(changed, /-R '\[192\.168\.0\.2\]:2222'/);
  assert.match(changed, /ssh-keyscan -p 2222 192\.168\.0\.2/);
});
