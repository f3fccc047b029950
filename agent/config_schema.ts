/**
 * Every key of the configuration file: its shape, its default, and what to write instead when the
 * shape is wrong. Names are the original's, spelling included. Numbers with a time are milliseconds.
 */
import * as v from "valibot";
import { hasControl } from "../mysql/text.ts";
import { isIpv4, isIpv6, isWildcard, parseEndpoint } from "./endpoint.ts";

/** One key. `fallback: null` means absent unless given. */
export interface Key {
  readonly shape: v.GenericSchema<unknown, unknown>;
  readonly fallback: string | number | boolean | null;
  /** What a right value looks like, as it would stand in the file. */
  readonly wanted: string;
  /** Never shown in a message. */
  readonly secret?: true;
}

export type SectionName =
  | "server"
  | "raft"
  | "mysql"
  | "replication"
  | "vip"
  | "backup"
  | "rpc"
  | "log";

/** Waiting longer than an hour is a slip of the keyboard. */
const MS_MAX = 3_600_000;
const TEXT_CHARACTERS_MAX = 4096;

/** The sections in the order of the file, and their keys. */
export const keys: Readonly<Record<SectionName, Readonly<Record<string, Key>>>> = {
  server: {
    "endpoint": endpointKey("127.0.0.1:8801"),
  },
  raft: {
    "meta-datadir": textKey("/var/lib/xenon", "a folder of its own for every agent"),
    "heartbeat-timeout": msKey(200, 10),
    "election-timeout": msKey(1000, 100),
    "lease-timeout": optional(msKey(700, 20)),
    "fence-timeout": optional(msKey(250, 20)),
    "admit-defeat-hearbeat-count": countKey(10, { min: 1, max: 1000 }),
    "witness": flagKey(false),
    "super-idle": flagKey(false),
    "leader-start-command": textKey("nop", 'a command, or "nop" for none'),
    "leader-stop-command": textKey("nop", 'a command, or "nop" for none'),
    "leader-command-timeout": msKey(5000, 100),
    "purge-binlog-interval": msKey(300_000, 1000),
    "purge-binlog-disabled": flagKey(false),
    "rejoin": choiceKey("manual", ["manual", "rebuild"]),
  },
  mysql: {
    "admin": textKey("root", "the account that the agent uses"),
    "passwd": secretKey(),
    "passwd-file": pathKey(null),
    "host": textKey("localhost", "the address of the MySQL beside this agent"),
    "port": portKey(3306),
    "socket": pathKey(null),
    "service": optional(textKey("mysql", "the name of a systemd unit")),
    "basedir": pathKey("/usr"),
    "mysqld": pathKey(null),
    "defaults-file": pathKey("/etc/mysql/my.cnf"),
    "pid-file": pathKey(null),
    "ping-timeout": msKey(1000, 50),
    "admit-defeat-ping-count": countKey(2, { min: 1, max: 100 }),
    "monitor-disabled": flagKey(false),
    "master-sysvars": textKey("", '"name=value;name=value"'),
    "slave-sysvars": textKey("", '"name=value;name=value"'),
    "statement-timeout": msKey(3000, 100),
  },
  replication: {
    "user": nameKey("repl", "the account that replicas connect with"),
    "passwd": secretKey(),
    "passwd-file": pathKey(null),
  },
  vip: {
    "address": addressKey(),
    "prefix": countKey(24, { min: 1, max: 128 }),
    "interface": interfaceKey(),
    "lease": optional(msKey(1000, 1000)),
  },
  backup: {
    "ssh-host": optional(textKey("", "the address where this node receives copies")),
    "ssh-user": textKey("mysql", "the account that copies over ssh"),
    "ssh-port": portKey(22),
    "ssh-key": pathKey(null),
    "ssh-known-hosts": pathKey(null),
    "ssh-compress": flagKey(false),
    "backupdir": pathKey("/var/lib/mysql"),
    "xtrabackup-bindir": pathKey("/usr/bin"),
    "backup-iops-limits": countKey(100_000, { min: 1, max: 1_000_000_000 }),
    "backup-use-memory": sizeKey("2GB"),
    "backup-parallel": countKey(2, { min: 1, max: 256 }),
    "max-allowed-local-trx-count": countKey(0, { min: 0, max: 1_000_000_000 }),
    "keep-old": flagKey(false),
    "keep-count": countKey(0, { min: 0, max: 100_000 }),
    "keep-days": countKey(0, { min: 0, max: 36_500 }),
  },
  rpc: {
    "request-timeout": msKey(500, 20),
    "secret-file": pathKey(null),
    "bind": optional(textKey("", "an address of this host, or 0.0.0.0 for all")),
  },
  log: {
    "level": choiceKey("INFO", ["DEBUG", "INFO", "WARNING", "ERROR", "FATAL", "PANIC"]),
    "file": pathKey(null),
    "format": choiceKey("text", ["text", "json"]),
  },
};

/** Keys of the original that have no effect here, and why nothing is lost by that. */
export const retiredKeys: Readonly<Record<string, string>> = {
  "server.enable-apis": "the pages are always served on server.endpoint",
  "server.peer-address": "the pages are always served on server.endpoint",
  "raft.candidate-wait-for-2nodes": "use a witness for a cluster of two servers",
  "mysql.semi-sync-timeout-for-two-nodes":
    "commits never stop waiting for an acknowledgement: use a witness for two servers",
  "mysql.version": "the server is asked for its version",
  "replication.gtid-purged": "a rebuild sets the purged transactions by itself",
  "backup.ssh-passwd": "copies use ssh keys only: put a key in place",
  "backup.basedir": "mysql.basedir is used",
  "backup.mysqld-monitor-interval": "the process is looked at every 20 ms",
};

function textKey(fallback: string, wanted: string): Key {
  const shape = v.pipe(
    v.string(),
    v.maxLength(TEXT_CHARACTERS_MAX),
    v.check((text) => !hasControl(text)),
  );
  return { shape, fallback, wanted };
}

/** A text that must say something. */
function nameKey(fallback: string, wanted: string): Key {
  const { shape } = textKey(fallback, wanted);
  return { shape: v.pipe(shape, v.check((text) => text !== "")), fallback, wanted };
}

function msKey(fallback: number, min: number): Key {
  const shape = v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(MS_MAX));
  return { shape, fallback, wanted: `a whole number of milliseconds from ${min} to ${MS_MAX}` };
}

function countKey(
  fallback: number,
  { min, max }: { readonly min: number; readonly max: number },
): Key {
  const shape = v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
  return { shape, fallback, wanted: `a whole number from ${min} to ${max}` };
}

function portKey(fallback: number): Key {
  return { ...countKey(fallback, { min: 1, max: 65_535 }), wanted: "a port from 1 to 65535" };
}

function flagKey(fallback: boolean): Key {
  return { shape: v.boolean(), fallback, wanted: "true or false, without quotes" };
}

/** Case does not matter; the word is taken as it stands in the list. */
function choiceKey(fallback: string, words: readonly string[]): Key {
  const find = (text: string) => words.find((word) => word.toLowerCase() === text.toLowerCase());
  const shape = v.pipe(
    v.string(),
    v.check((text) => find(text) !== undefined),
    v.transform((text) => find(text) ?? text),
  );
  return { shape, fallback, wanted: `one of ${words.map((word) => `"${word}"`).join(", ")}` };
}

function pathKey(fallback: string | null): Key {
  const shape = v.pipe(
    v.string(),
    v.maxLength(TEXT_CHARACTERS_MAX),
    v.check((path) => path === "" || (path.startsWith("/") && !hasControl(path))),
  );
  return { shape, fallback, wanted: 'an absolute path such as "/etc/xenon/file"' };
}

function secretKey(): Key {
  const shape = v.pipe(v.string(), v.maxLength(256), v.check((text) => !hasControl(text)));
  return { shape, fallback: "", wanted: "a text in quotes", secret: true };
}

function endpointKey(fallback: string): Key {
  const shape = v.pipe(
    v.string(),
    v.check((text) => {
      const endpoint = parseEndpoint(text);
      return endpoint !== null && !isWildcard(endpoint.host);
    }),
  );
  const wanted = "the address and port that the other nodes reach this agent at, such as " +
    '"192.168.0.1:8801"; to listen everywhere set rpc.bind as well';
  return { shape, fallback, wanted };
}

function addressKey(): Key {
  const shape = v.pipe(v.string(), v.check((text) => text === "" || isIpv4(text) || isIpv6(text)));
  return { shape, fallback: "", wanted: 'an address without a prefix, such as "192.168.0.11"' };
}

function interfaceKey(): Key {
  // The kernel takes up to 15 characters, and no slash or blank (netdevice(7)).
  const shape = v.pipe(v.string(), v.regex(/^(?:[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,14})?$/));
  return { shape, fallback: "", wanted: 'the name of a network interface, such as "eth0"' };
}

function sizeKey(fallback: string): Key {
  const shape = v.pipe(v.string(), v.regex(/^[1-9]\d{0,8}[KMGT]?B?$/i));
  return { shape, fallback, wanted: 'a size such as "512MB" or "2GB"' };
}

/** The default is derived from other keys or from the system; it is only written down as example. */
function optional(key: Key): Key {
  return { ...key, fallback: null };
}
