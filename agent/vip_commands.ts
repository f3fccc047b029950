/**
 * The commands around a virtual address as argument lists, and what their answers mean. Programs:
 * ip(8) of iproute2, arping(8) of iputils (not the other program of that name), and for IPv6
 * ndisc6(8) and ndptool(8), which are optional.
 */
import type { VipConfig } from "./config_shape.ts";

export type Command = readonly string[];

/** One address of an interface, as `ip -json addr show` lists it. */
export interface ListedAddress {
  readonly interface: string;
  readonly address: string;
  readonly prefix: number;
  /** Infinity for an address that the kernel does not remove by itself. */
  readonly validSeconds: number;
}

/** What `valid_life_time` says for ever. */
const forever = 4_294_967_295;

/** Adds the address, or lengthens its life: one command for both, safe to repeat. */
export function addCommand(vip: VipConfig): Command {
  const { address, prefix, leaseMs } = vip;
  const seconds = String(Math.ceil(leaseMs / 1000));
  const place = ["addr", "replace", `${address}/${prefix}`, "dev", vip.interface];
  if (!isIpv6(address)) {
    return ["ip", "-4", ...place, "valid_lft", seconds, "preferred_lft", seconds];
  }
  // A deprecated address is served but never chosen for connections that this host opens, which
  // would break when the address moves. The kernel's own probe would hold it back for seconds.
  return ["ip", "-6", ...place, "valid_lft", seconds, "preferred_lft", "0", "nodad"];
}

/** Takes an address away that `ip` listed, from the interface where it was seen. */
export function removeCommand(
  listed: Pick<ListedAddress, "address" | "prefix" | "interface">,
): Command {
  const { address, prefix } = listed;
  return ["ip", family(address), "addr", "del", `${address}/${prefix}`, "dev", listed.interface];
}

/** Lists the addresses of all interfaces. */
export function listCommand(address: string): Command {
  return ["ip", family(address), "-json", "addr", "show"];
}

/** Asks whether somebody else has the address. */
export function probeCommand(vip: VipConfig, silenceMs: number): Command {
  if (isIpv6(vip.address)) {
    return ["ndisc6", "-1", "-q", "-r", "1", "-w", String(silenceMs), vip.address, vip.interface];
  }
  // Fractions of a second are refused, so its caller ends it after the silence that counts.
  return ["arping", "-D", "-c", "1", "-w", "1", "-I", vip.interface, vip.address];
}

/** Tells the neighbours where the address is. Some listen to requests only, some to replies only. */
export function announceCommands(vip: VipConfig): readonly Command[] {
  if (isIpv6(vip.address)) {
    return [["ndptool", "-t", "na", "-U", "-i", vip.interface, "-T", vip.address, "send"]];
  }
  const rest = ["-q", "-c", "1", "-w", "1", "-I", vip.interface, vip.address];
  return [["arping", "-U", ...rest], ["arping", "-A", ...rest]];
}

/** Shows the version of each program besides ip(8), to see whether it is there. */
export function helperCommands({ address }: VipConfig): readonly Command[] {
  return isIpv6(address) ? [["ndisc6", "-V"], ["ndptool", "-h"]] : [["arping", "-V"]];
}

/** Reads the output of `listCommand`. Throws where it is not a list of interfaces. */
export function readAddresses(text: string): readonly ListedAddress[] {
  const links: unknown = JSON.parse(text === "" ? "[]" : text);
  if (!Array.isArray(links)) throw new TypeError(`Expected a list of interfaces, found ${text}`);
  return links.flatMap((link: unknown) => {
    const { ifname, addr_info: list } = asRecord(link);
    return Array.isArray(list) ? list.map((entry) => readEntry(String(ifname), entry)) : [];
  });
}

function readEntry(ifname: string, entry: unknown): ListedAddress {
  const { local, prefixlen, valid_life_time: seconds } = asRecord(entry);
  return {
    // The other end of a veth pair stands behind an @ in some versions.
    interface: ifname.replace(/@.*$/, ""),
    address: String(local),
    prefix: Number(prefixlen),
    validSeconds: seconds === forever || typeof seconds !== "number" ? Infinity : seconds,
  };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

/** True for two spellings of one address; IPv6 has many. */
export function sameAddress(left: string, right: string): boolean {
  return canonical(left) === canonical(right);
}

function canonical(address: string): string {
  if (!isIpv6(address)) return address;
  return URL.parse(`http://[${address}]/`)?.hostname ?? address;
}

function isIpv6(address: string): boolean {
  return address.includes(":");
}

function family(address: string): "-4" | "-6" {
  return isIpv6(address) ? "-6" : "-4";
}

/** Which Debian package brings a program. */
const packages: Readonly<Record<string, string>> = {
  ip: "iproute2",
  arping: "iputils-arping",
  ndisc6: "ndisc6",
  ndptool: "libndp-tools",
};

/** What an operator can do about a command that failed; null when its own words say enough. */
export function fixFor(
  command: Command,
  failure: { readonly started: boolean; readonly output: string },
): string | null {
  const program = command[0] ?? "";
  if (!failure.started) return `install the package ${packages[program] ?? program}`;
  // Another program of that name takes other options; its own errors would lead astray.
  if (program === "arping" && command[1] === "-V") return "install the package iputils-arping";
  if (/not permitted|permission denied/i.test(failure.output)) {
    return "run the agent as root or give it the capabilities CAP_NET_ADMIN and CAP_NET_RAW";
  }
  if (/cannot find device|does not exist|no such device/i.test(failure.output)) {
    return "set vip.interface to an interface of this host";
  }
  return null;
}
