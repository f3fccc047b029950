import assert from "node:assert/strict";
import {
  addCommand,
  announceCommands,
  fixFor,
  listCommand,
  probeCommand,
  readAddresses,
  removeCommand,
  sameAddress,
} from "./vip_commands.ts";

const four = { address: "192.0.2.9", prefix: 24, interface: "eth0", leaseMs: 2_000 };
const six = { address: "2001:db8::9", prefix: 64, interface: "eth0", leaseMs: 2_000 };

Deno.test("an IPv4 address is added with the lease as its life", () => {
  assert.equal(
    addCommand(four).join(" "),
    "ip -4 addr replace 192.0.2.9/24 dev eth0 valid_lft 2 preferred_lft 2",
  );
  assert.equal(removeCommand(four).join(" "), "ip -4 addr del 192.0.2.9/24 dev eth0");
  assert.equal(listCommand(four.address).join(" "), "ip -4 -json addr show");
});

Deno.test("an IPv6 address is served at once and never a source of connections", () => {
  assert.equal(
    addCommand(six).join(" "),
    "ip -6 addr replace 2001:db8::9/64 dev eth0 valid_lft 2 preferred_lft 0 nodad",
  );
  assert.equal(removeCommand(six).join(" "), "ip -6 addr del 2001:db8::9/64 dev eth0");
});

Deno.test("the probe and the announcements use the program of the family", () => {
  assert.equal(probeCommand(four, 100).join(" "), "arping -D -c 1 -w 1 -I eth0 192.0.2.9");
  assert.equal(probeCommand(six, 100).join(" "), "ndisc6 -1 -q -r 1 -w 100 2001:db8::9 eth0");
  assert.deepEqual(announceCommands(four).map((command) => command.slice(0, 2)), [
    ["arping", "-U"],
    ["arping", "-A"],
  ]);
  assert.equal(
    announceCommands(six)[0]?.join(" "),
    "ndptool -t na -U -i eth0 -T 2001:db8::9 send",
  );
});

Deno.test("readAddresses() reads what ip prints, with and without an end", () => {
  const text = `[{"ifindex":2,"ifname":"eth0@if7","flags":["UP"],"addr_info":[
    {"family":"inet","local":"192.0.2.1","prefixlen":24,"valid_life_time":4294967295},
    {"family":"inet","local":"192.0.2.9","prefixlen":24,"dynamic":true,"valid_life_time":2}]},
    {},{"ifname":"down0","addr_info":[]}]`;
  assert.deepEqual(readAddresses(text), [
    { interface: "eth0", address: "192.0.2.1", prefix: 24, validSeconds: Infinity },
    { interface: "eth0", address: "192.0.2.9", prefix: 24, validSeconds: 2 },
  ]);
  assert.deepEqual(readAddresses(""), []);
  assert.throws(() => readAddresses("{}"), /Expected a list of interfaces, found \{\}/);
});

Deno.test("sameAddress() knows the spellings of one IPv6 address", () => {
  assert.ok(sameAddress("2001:DB8:0:0::9", "2001:db8::9"));
  assert.ok(!sameAddress("2001:db8::9", "2001:db8::19"));
  assert.ok(sameAddress("192.0.2.9", "192.0.2.9"));
  assert.ok(!sameAddress("192.0.2.9", "192.0.2.90"));
});

Deno.test("fixFor() names what an operator can do", () => {
  const ip = ["ip", "-4", "addr", "show"];
  const failed = (output: string) => fixFor(ip, { started: true, output });
  assert.match(failed("RTNETLINK answers: Operation not permitted") ?? "", /CAP_NET_ADMIN/);
  assert.match(failed('Cannot find device "eth9"') ?? "", /vip\.interface/);
  assert.equal(failed("Error: ipv4: Address not found."), null);
  assert.match(fixFor(ip, { started: false, output: "" }) ?? "", /iproute2/);
  assert.match(fixFor(["arping"], { started: false, output: "" }) ?? "", /iputils-arping/);
});
