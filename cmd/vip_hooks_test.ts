import assert from "node:assert/strict";
import { findVip } from "./vip_hooks.ts";

const guideStart = "sudo ip a a 192.168.0.11/24 dev eth0 && arping -c 3 -A  192.168.0.11  -I eth0";
const guideStop = "sudo ip a d 192.168.0.11/24 dev eth0";
const vip = { address: "192.168.0.11", prefix: 24, interface: "eth0" };
const nothingElse = { startRest: "", stopRest: "", swapped: false };

Deno.test("findVip() knows the guide's two commands", () => {
  assert.deepEqual(findVip(guideStart, guideStop), { ...vip, ...nothingElse });
});

Deno.test("findVip() knows other spellings of the same", () => {
  const start =
    "/sbin/ip -4 addr add 192.168.0.11/24 dev bond0.7; arping -A 192.168.0.11 -I bond0.7";
  const stop = "sudo -n /usr/sbin/ip address del 192.168.0.11/24 dev bond0.7 || true";
  const found = { ...vip, interface: "bond0.7", ...nothingElse };
  assert.deepEqual(findVip(start, stop), found);
  const bare = findVip("ip a a fd00::11 dev eth0", "nop");
  assert.deepEqual(bare, { ...bare, address: "fd00::11", prefix: 128, interface: "eth0" });
});

Deno.test("findVip() turns round what the original's init wrote the wrong way round", () => {
  const found = findVip(guideStop, guideStart);
  assert.deepEqual(found, { ...vip, ...nothingElse, swapped: true });
});

Deno.test("findVip() leaves what has nothing to do with the address", () => {
  const found = findVip(`${guideStart} && /opt/notify.sh "up; now"`, `/opt/down.sh; ${guideStop}`);
  assert.equal(found?.startRest, '/opt/notify.sh "up; now"');
  assert.equal(found?.stopRest, "/opt/down.sh");
});

Deno.test("findVip() touches nothing that it does not understand", () => {
  for (
    const [start, stop] of [
      ["nop", "nop"],
      ["/opt/vip.sh start", "/opt/vip.sh stop"],
      [guideStart, "sudo ip a d 192.168.0.12/24 dev eth0"],
      [guideStart, guideStart],
      ["sudo ip link set eth0 up", ""],
    ] as const
  ) assert.equal(findVip(start, stop), null, `${start} | ${stop}`);
});
