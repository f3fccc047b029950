/** The words of `xenon init`. */
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { isIpv4, isIpv6 } from "../../agent/endpoint.ts";
import type { CommonOptions } from "../options.ts";
import { commonOf, examples, type Found, type Tree, wholeNumber } from "./words.ts";

/** What the operator said; undefined for what is to be asked, or taken as it usually is. */
export interface InitWish {
  readonly address: string | undefined;
  readonly port: number;
  readonly vip: { readonly address: string; readonly prefix: number | undefined } | undefined;
  readonly interface: string | undefined;
  readonly replicationUser: string | undefined;
  /** "-" for standard input. */
  readonly replicationPassword: string | undefined;
  readonly replicationPasswordFile: string | undefined;
  readonly mysqlPort: number;
  readonly mysqlSocket: string | undefined;
  readonly mysqlAdmin: string;
  readonly mysqlPasswordFile: string | undefined;
  /** How the server here is started; undefined for what the configuration takes by default. */
  readonly mysqld: string | undefined;
  readonly service: string | undefined;
  readonly defaultsFile: string | undefined;
  readonly secretFile: string;
  /** Overwrite the configuration that is there. */
  readonly force: boolean;
}

export interface InitCommand {
  readonly group: "init";
  readonly wish: InitWish;
  readonly common: CommonOptions;
}

const portMax = 65_535;

/** Adds `init`. */
export function addInit(tree: Tree, found: Found<InitCommand>): void {
  tree.command("init")
    .description("Write the configuration of this host; what no option says is asked for")
    .option("--address <ip>", "Address of this host, where the other nodes reach it", parseAddress)
    .option("--port <port>", "Port of the agent", wholeNumber(1, portMax), 8801)
    .option("--vip <ip>", "Virtual address of the leader, as IP or IP/PREFIX", parseVip)
    .option("--interface <name>", "Interface for it; without it the one that has the address")
    .option("--repluser <name>", "Account that replicas connect with", parseName)
    .option("--replpwd <password>", 'Its password; "-" reads it from standard input')
    .option("--replpwd-file <file>", "File of mode 0600 with its password")
    .option("--mysql-port <port>", "Port of the MySQL here", wholeNumber(1, portMax), 3306)
    .option("--mysql-socket <path>", "Its socket, used in place of the port")
    .option("--mysql-admin <name>", "Account of the agent", "root")
    .option("--mysql-passwd-file <file>", "File of mode 0600 with its password")
    .option("--mysqld <file>", "Server program, where it is not below /usr")
    .option("--service <name>", "systemd unit of the server; without it the agent starts it")
    .option("--defaults-file <file>", "Option file of the server; /etc/mysql/my.cnf without it")
    .option("--secret-file <file>", "Secret that all nodes share", "/etc/xenon/secret")
    .option("--force", "Overwrite the configuration that is there", false)
    .addHelpText(
      "after",
      examples(
        "xenon init",
        "xenon init --address 192.168.0.109 --vip 192.168.0.11/24 --repluser rep --replpwd -",
        "xenon init --config /etc/xenon/xenon.toml --address 10.0.0.1 --repluser rep " +
          "--replpwd-file /etc/xenon/replication.passwd",
        "xenon init --address 10.0.0.1 --defaults-file /etc/my.cnf --mysqld /opt/mysql/bin/mysqld",
      ),
    )
    .action((options, self) =>
      found({
        group: "init",
        wish: {
          address: options.address,
          port: options.port,
          vip: options.vip,
          interface: options.interface,
          replicationUser: options.repluser,
          replicationPassword: options.replpwd,
          replicationPasswordFile: options.replpwdFile,
          mysqlPort: options.mysqlPort,
          mysqlSocket: options.mysqlSocket,
          mysqlAdmin: options.mysqlAdmin,
          mysqlPasswordFile: options.mysqlPasswdFile,
          mysqld: options.mysqld,
          service: options.service,
          defaultsFile: options.defaultsFile,
          secretFile: options.secretFile,
          force: options.force,
        },
        common: commonOf(self),
      })
    );
}

/** A name with something in it. */
export function parseName(word: string): string {
  if (word.trim() !== "") return word;
  throw new InvalidArgumentError("it is empty.");
}

/** An address of version 4 or 6, without brackets. */
export function parseAddress(word: string): string {
  if (isIpv4(word) || isIpv6(word)) return word;
  throw new InvalidArgumentError(`"${word}" is no address.`);
}

/** An address, with the length of its prefix behind a slash where it is known. */
export function parseVip(word: string): NonNullable<InitWish["vip"]> {
  const [address = "", prefix, ...rest] = word.split("/");
  if (rest.length > 0) throw new InvalidArgumentError(`"${word}" is no IP/PREFIX.`);
  const most = address.includes(":") ? 128 : 32;
  return {
    address: parseAddress(address),
    prefix: prefix === undefined ? undefined : wholeNumber(1, most)(prefix),
  };
}
