/**
 * How a donor reaches the sshd of a joiner: the argument list, and what its complaints mean. Pure.
 * Nobody is there to be asked, so a host key must be known and a login must need no password.
 */

/** A login on another host. */
export interface SshPlace {
  readonly user: string;
  readonly host: string;
  readonly port: number;
}

/** How this host logs in elsewhere. */
export interface SshIdentity {
  /** File of the private key; null for those that ssh finds by itself. */
  readonly key: string | null;
  /** File of known host keys; null for those that ssh finds by itself. */
  readonly knownHosts: string | null;
  /** Compresses what is sent. */
  readonly compress: boolean;
}

const connectSeconds = 10;
/** A dead link is noticed after this many unanswered questions, one every interval. */
const aliveSeconds = 5;
const aliveCountMax = 3;

/** Runs a command on another host. Values are quoted for the shell that sshd gives every command to. */
export function sshCommand(
  place: SshPlace,
  identity: SshIdentity,
  remote: readonly string[],
): readonly string[] {
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    `ConnectTimeout=${connectSeconds}`,
    `ServerAliveInterval=${aliveSeconds}`,
    `ServerAliveCountMax=${aliveCountMax}`,
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ControlMaster=no",
    "ControlPath=none",
    `Compression=${identity.compress ? "yes" : "no"}`,
    ...(identity.key === null ? [] : [`IdentityFile=${fileWord(identity.key)}`]),
    ...(identity.key === null ? [] : ["IdentitiesOnly=yes"]),
    ...(identity.knownHosts === null
      ? []
      : [`UserKnownHostsFile=${fileWord(identity.knownHosts)}`, "GlobalKnownHostsFile=none"]),
  ];
  return [
    "ssh",
    "-T",
    ...options.flatMap((option) => ["-o", option]),
    "-p",
    String(place.port),
    "-l",
    place.user,
    "--",
    place.host,
    remote.map(quoted).join(" "),
  ];
}

/** Why a value cannot name a login; null when it can. A dash in front would be read as an option. */
export function whyNoPlace({ user, host, port }: SshPlace): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(user)) return `${JSON.stringify(user)} is no user`;
  if (!/^[A-Za-z0-9:][A-Za-z0-9.:%_-]{0,254}$/.test(host)) {
    return `${JSON.stringify(host)} is no host`;
  }
  return Number.isInteger(port) && port > 0 && port < 65_536 ? null : `${port} is no port`;
}

/** What a complaint of ssh means and what helps; null where ssh does not complain. */
export function explainSsh(
  stderr: string,
  place: SshPlace,
  identity: SshIdentity,
): string | null {
  const known = complaints.find(({ words }) => words.test(stderr));
  return known?.say(place, identity) ?? null;
}

interface Complaint {
  readonly words: RegExp;
  readonly say: (place: SshPlace, identity: SshIdentity) => string;
}

/** The first that matches counts. */
const complaints: readonly Complaint[] = [
  {
    words: /exec: ssh: not found/,
    say: () => "the donor has no ssh: install openssh-client there",
  },
  {
    words: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    say: (place, identity) =>
      `the host key of ${at(place)} is not the one that is known for it: somebody may be in ` +
      `between. If the host was set up anew, run "ssh-keygen${knownHostsOption(identity)} -R ` +
      `'${knownName(place)}'", then ${learnKey(place, identity)}`,
  },
  {
    words: /Host key verification failed|No .* host key is known/,
    say: (place, identity) =>
      `the host key of ${at(place)} is not known here: ${learnKey(place, identity)}`,
  },
  {
    words: /Permission denied \(|Too many authentication failures/,
    say: ({ user, host, port }, { key }) =>
      `${user}@${host} accepts none of our keys: run "ssh-copy-id${
        key === null ? "" : ` -i ${key}`
      } -p ${port} ${user}@${host}" as the agent's user`,
  },
  {
    words: /bad permissions|UNPROTECTED PRIVATE KEY/,
    say: (_, { key }) => `others can read the private key: run "chmod 600 ${key ?? "KEY"}"`,
  },
  {
    words: /Connection refused/,
    say: (place) => `no sshd listens at ${at(place)}: start it, or correct [backup] ssh-port there`,
  },
  {
    words: /Could not resolve hostname/,
    say: ({ host }) => `the name "${host}" is unknown here: correct [backup] ssh-host there`,
  },
  {
    words: /timed out|No route to host|Network is unreachable/,
    say: (place) => `${at(place)} cannot be reached: check the network and the firewall`,
  },
  {
    words: /Timeout, server .* not responding|Connection (reset|closed)|Broken pipe|client_loop/,
    say: (place) => `the connection to ${at(place)} broke`,
  },
  {
    words: /xbstream: (command )?not found|xbstream: No such file/,
    say: ({ host }) =>
      `xbstream is not where [backup] xtrabackup-bindir of ${host} says: install Percona XtraBackup`,
  },
  {
    words: /Errcode: 13\b|OS errno 13\b/,
    say: ({ user, host }) =>
      `${user} cannot write there on ${host}: [backup] ssh-user must be the user of its mysqld`,
  },
  {
    words: /No space left on device|Errcode: 28\b|OS errno 28\b/,
    say: ({ host }) => `the disk of ${host} is full`,
  },
];

function learnKey(place: SshPlace, identity: SshIdentity): string {
  const file = identity.knownHosts ?? "~/.ssh/known_hosts";
  const port = place.port === 22 ? "" : `-p ${place.port} `;
  return `run "ssh-keyscan ${port}${place.host} >> ${file}" as the agent's user, and compare with ` +
    `what "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" shows on that host`;
}

function knownHostsOption({ knownHosts }: SshIdentity): string {
  return knownHosts === null ? "" : ` -f ${knownHosts}`;
}

/** How known_hosts writes a host. */
function knownName({ host, port }: SshPlace): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

function at({ host, port }: SshPlace): string {
  return `${host} port ${port}`;
}

/** ssh splits the value of this option at blanks, and knows percent signs. */
function fileWord(path: string): string {
  return `"${path.replaceAll("%", "%%")}"`;
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_\/.,:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
