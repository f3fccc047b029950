/** Runs `xenon init`: a configuration for this host out of few words. */
import { describeRemark, parseConfig } from "../agent/config.ts";
import { formatEndpoint } from "../agent/endpoint.ts";
import { type ListedAddress, sameAddress } from "../agent/vip_commands.ts";
import { CommandError, exitCodes, type Outcome, success } from "./exit.ts";
import { packagedConfig } from "./lookup.ts";
import type { SecretSource, Setup, Surroundings, World } from "./ports.ts";
import { renderSettings, type TomlValue } from "./toml_text.ts";
import { type InitCommand, type InitWish, parseAddress, parseVip } from "./tree/init.ts";
import { messageOf } from "../mysql/message_of.ts";

/** The least time in which the lease of an address ends before others elect. */
const electionMsWithVip = 1200;

/** The runner of the command. */
export async function runInit(command: InitCommand, around: Surroundings): Promise<Outcome> {
  const { world, programs } = around;
  const path = command.common.config ?? (world.env("XENON_CONFIG") || packagedConfig);
  if (!command.wish.force && await world.readText(path) !== undefined) {
    throw new CommandError(`Cannot write "${path}" as it exists already`, {
      next: "look at it with xenon config show, or overwrite it with --force",
    });
  }
  const setup = await programs.openSetup();
  const wish = await complete(command.wish, setup);
  const addresses = await setup.addresses();
  const settings = {
    ...placeOf(wish, addresses),
    ...await passwordsOf(wish, { setup, world }),
  };
  const toml = renderSettings(new Map(Object.entries(settings)), {
    head: ["Written by xenon init. Every other setting has the default of config.example.toml."],
  });
  checkWhole(toml);
  const secret = await world.readText(wish.secretFile);
  if (secret === undefined) {
    await programs.writePrivate(wish.secretFile, `${setup.newSecret()}\n`, { replace: false });
  }
  await programs.writePrivate(path, toml, { replace: wish.force });
  return success(story(wish, { path, secretIsNew: secret === undefined }));
}

type Complete = InitWish & { readonly address: string; readonly replicationUser: string };

/** Asks for what is missing, where somebody can be asked. */
async function complete(wish: InitWish, setup: Setup): Promise<Complete> {
  const { address, replicationUser } = wish;
  const password = wish.replicationPassword ?? wish.replicationPasswordFile;
  if (!setup.interactive) {
    const missing = [
      ...(address === undefined ? ["--address IP"] : []),
      ...(password === undefined ? ["--replpwd-file FILE"] : []),
    ];
    if (address === undefined || password === undefined) {
      throw new CommandError(`Cannot ask for ${missing.join(" and ")} as this is no terminal`, {
        code: exitCodes.usage,
        next: `give ${missing.join(" and ")}, see xenon help init`,
      });
    }
    return { ...wish, address, replicationUser: replicationUser ?? "repl" };
  }
  return {
    ...wish,
    address: address ?? understood(await setup.ask("Address of this host"), {
      parse: parseAddress,
      next: "answer with an IP address of this host, or give it with --address",
    }),
    vip: wish.vip ?? vipOf(await setup.ask("Virtual address of the leader (empty for none)")),
    replicationUser: replicationUser ??
      (await setup.ask("Account that replicas connect with (empty for repl)") || "repl"),
  };
}

function vipOf(answer: string): InitWish["vip"] {
  return answer === "" ? undefined : understood(answer, {
    parse: parseVip,
    next: "answer with IP or IP/PREFIX, or give it with --vip",
  });
}

/** What is wrong with a word of the command line is wrong with an answer too. */
function understood<Value>(
  answer: string,
  { parse, next }: { readonly parse: (answer: string) => Value; readonly next: string },
): Value {
  try {
    return parse(answer);
  } catch (cause) {
    const because = messageOf(cause).replace(/\.$/, "");
    throw new CommandError(`Cannot go on: ${because}`, { next });
  }
}

type Settings = Readonly<Record<string, TomlValue>>;

/** Where this host and its server are. */
function placeOf(wish: Complete, addresses: readonly ListedAddress[]): Settings {
  const own = addresses.find((one) => sameAddress(one.address, wish.address));
  if (own === undefined) {
    const known = addresses.map((one) => `${one.address} (${one.interface})`).join(", ");
    throw new CommandError(
      `Cannot use ${wish.address} as no interface of this host carries it, they have ${known}`,
      { next: "name an address of this host with --address" },
    );
  }
  const { vip } = wish;
  return {
    "server.endpoint": formatEndpoint({ host: wish.address, port: wish.port }),
    "mysql.admin": wish.mysqlAdmin,
    "mysql.port": wish.mysqlPort,
    ...given({
      "mysql.socket": wish.mysqlSocket,
      "mysql.mysqld": wish.mysqld,
      "mysql.service": wish.service,
      "mysql.defaults-file": wish.defaultsFile,
    }),
    "replication.user": wish.replicationUser,
    ...(vip === undefined ? {} : {
      "raft.election-timeout": electionMsWithVip,
      "vip.address": vip.address,
      // It belongs into the network of the host's own address.
      "vip.prefix": vip.prefix ?? own.prefix,
      "vip.interface": wish.interface ?? own.interface,
    }),
    "rpc.secret-file": wish.secretFile,
  };
}

/** What nobody said is left to the defaults. */
function given(settings: Readonly<Record<string, string | undefined>>): Settings {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([key, value]) => value === undefined ? [] : [[key, value]]),
  );
}

/** Passwords go where they came from: a file is named, everything else stands in the configuration. */
async function passwordsOf(
  wish: Complete,
  { setup, world }: { readonly setup: Setup; readonly world: World },
): Promise<Settings> {
  const settings: Record<string, TomlValue> = {};
  const { replicationPassword: word, replicationPasswordFile, mysqlPasswordFile } = wish;
  if (replicationPasswordFile !== undefined) {
    await world.readSecret({ kind: "file", path: replicationPasswordFile }, "--replpwd-file");
    settings["replication.passwd-file"] = replicationPasswordFile;
  } else {
    if (word === undefined) {
      world.say(`Password of "${wish.replicationUser}", on all nodes the same:`);
    }
    settings["replication.passwd"] = await world.readSecret(sourceOf(word), "--replpwd-file");
  }
  if (mysqlPasswordFile !== undefined) {
    await world.readSecret({ kind: "file", path: mysqlPasswordFile }, "--mysql-passwd-file");
    settings["mysql.passwd-file"] = mysqlPasswordFile;
  } else if (setup.interactive) {
    world.say(`Password of "${wish.mysqlAdmin}", the agent's account on this MySQL:`);
    settings["mysql.passwd"] = await world.readSecret({ kind: "prompt" }, "--mysql-passwd-file");
  }
  return settings;
}

function sourceOf(word: string | undefined): SecretSource {
  if (word === undefined) return { kind: "prompt" };
  return word === "-" ? { kind: "stdin" } : { kind: "given", text: word };
}

/** The agent would refuse it, so it is not even written. */
function checkWhole(toml: string): void {
  const result = parseConfig(toml);
  if (result.kind === "config") return;
  const sentences = result.problems.map((problem) =>
    describeRemark("", { ...problem, line: 0 }).trim()
  );
  throw new CommandError("Cannot make a configuration of this", {
    next: "correct what is named above, see xenon help init",
    details: sentences,
  });
}

/** What was done, and what is left to do. Never holds a password. */
function story(
  wish: Complete,
  { path, secretIsNew }: { readonly path: string; readonly secretIsNew: boolean },
): string {
  const { secretFile, port, vip } = wish;
  const lines = [
    `Wrote ${path} for ${formatEndpoint({ host: wish.address, port })}`,
    secretIsNew
      ? `Made a new secret in ${secretFile}; if the cluster has one already, put that in its place`
      : `Took the secret that is in ${secretFile}`,
    ...(vip === undefined ? [] : [
      `Set election-timeout to ${electionMsWithVip} ms for the virtual address ${vip.address}`,
    ]),
    ...(wish.mysqlPasswordFile === undefined
      ? [`Check mysql.passwd or mysql.passwd-file in ${path}: the password of "${wish.mysqlAdmin}"`]
      : []),
    "Next:",
    `  1. copy the secret to every other node, mode 0600: scp -p ${secretFile} HOST:${secretFile}`,
    "  2. run xenon init on each of them, with the same --vip and replication password",
    "  3. check with xenon config check, then start xenon agent everywhere",
    `  4. on one node: xenon cluster add HOST:${port},HOST:${port}`,
  ];
  return lines.map((line) => `${line}\n`).join("");
}
