import assert from "node:assert/strict";
import {
  formatEndpoint,
  isIpv4,
  isIpv6,
  isLoopback,
  isWildcard,
  parseEndpoint,
  unmapped,
} from "./endpoint.ts";

Deno.test("parseEndpoint() takes addresses and names, and formatEndpoint() gives them back", () => {
  const cases = [
    ["127.0.0.1:8801", "127.0.0.1", 8801],
    ["[::1]:1", "::1", 1],
    ["[fd00::12]:65535", "fd00::12", 65_535],
    ["db-1.example:8801", "db-1.example", 8801],
    ["0.0.0.0:8801", "0.0.0.0", 8801],
  ] as const;
  for (const [text, host, port] of cases) {
    assert.deepEqual(parseEndpoint(text), { host, port });
    assert.equal(formatEndpoint({ host, port }), text);
  }
});

Deno.test("parseEndpoint() refuses everything else", () => {
  const texts = [
    "",
    ":8801",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.256:1",
    "1.2.3:1",
    "::1:8801",
    "[10.0.0.1]:1",
    "user@host:1",
    "host/path:1",
    "a b:1",
    "host:1:2",
    "-a:1",
  ];
  for (const text of texts) assert.equal(parseEndpoint(text), null, text);
});

Deno.test("isWildcard() knows the addresses that mean everywhere", () => {
  for (const host of ["0.0.0.0", "::", "*", "0:0:0:0:0:0:0:0"]) assert.ok(isWildcard(host), host);
  for (const host of ["127.0.0.1", "::1", "db1"]) assert.ok(!isWildcard(host), host);
});

Deno.test("isLoopback() knows this machine, in either notation", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost"]) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ["10.0.0.1", "128.0.0.1", "::2", "127.0.0.1.example", "1127.0.0.1"]) {
    assert.ok(!isLoopback(host), host);
  }
  assert.equal(unmapped("::FFFF:10.0.0.1"), "10.0.0.1");
});

Deno.test("isIpv4() and isIpv6() know the shape of an address", () => {
  for (const text of ["::1", "fd00::1", "1:2:3:4:5:6:7:8", "::"]) assert.ok(isIpv6(text), text);
  for (const text of ["1:2", "g::1", "1::2::3", "1:2:3:4:5:6:7:8:9", ""]) {
    assert.ok(!isIpv6(text), text);
  }
  assert.ok(isIpv4("192.168.0.11"));
  for (const text of ["192.168.0", "1.2.3.256", "1.2.3.4.5", "a.b.c.d"]) assert.ok(!isIpv4(text));
});
