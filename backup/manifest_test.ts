import assert from "node:assert/strict";
import {
  decodeManifest,
  differences,
  encodeManifest,
  isSealed,
  type Manifest,
  whyNotRestorable,
} from "./manifest.ts";

const uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const other = "8a94f357-aab4-11df-86ab-c80aa9429444";
const sum = "0".repeat(64);
const manifest: Manifest = {
  format: 1,
  method: "clone",
  serverVersion: "8.0.36",
  source: "192.168.0.2:8801",
  gtids: `${uuid}:1-3,${other}:1`,
  startedAt: "2026-11-25T18:00:00.000Z",
  endedAt: "2026-11-25T18:01:00.000Z",
  bytes: 30,
  folders: ["d", "mysql"],
  files: [
    { path: "d/a b.ibd", bytes: 10, sha256: sum },
    { path: "ibdata1", bytes: 20, sha256: sum },
  ],
};

Deno.test("a manifest survives its way through the file", () => {
  assert.deepEqual(decodeManifest(encodeManifest(manifest)), manifest);
  const empty = { ...manifest, files: [], folders: [], gtids: "", bytes: 0 };
  assert.deepEqual(decodeManifest(encodeManifest(empty)), empty);
});

Deno.test("decodeManifest() refuses paths that lead out of the backup", () => {
  for (const path of ["/etc/passwd", "../x", "a/../../x", "", "a//b", "./a"]) {
    const bad = { ...manifest, files: [{ path, bytes: 1, sha256: sum }] };
    assert.throws(() => decodeManifest(JSON.stringify(bad)), /Cannot read the manifest/, path);
  }
});

Deno.test("decodeManifest() refuses another format, and what is no manifest", () => {
  for (const text of ["", "{}", JSON.stringify({ ...manifest, format: 2 })]) {
    assert.throws(() => decodeManifest(text), SyntaxError);
  }
});

Deno.test("differences() finds what is missing, changed or new", () => {
  const [first, second] = manifest.files;
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual(differences(manifest, manifest.files), []);
  assert.deepEqual(differences(manifest, [first]), ["ibdata1 is missing"]);
  assert.deepEqual(differences(manifest, [first, { ...second, bytes: 19 }]), [
    "ibdata1 has 19 bytes, not 20",
  ]);
  assert.deepEqual(differences(manifest, [first, { ...second, sha256: "1".repeat(64) }]), [
    "ibdata1 has another content",
  ]);
  const more = { path: "more", bytes: 1, sha256: sum };
  assert.deepEqual(differences(manifest, [...manifest.files, more]), [
    "more is not in the manifest",
  ]);
});

Deno.test("whyNotRestorable() wants the same series and no older patch", () => {
  assert.equal(whyNotRestorable(manifest, "8.0.36"), null);
  assert.equal(whyNotRestorable(manifest, "8.0.40-debian"), null);
  for (const version of ["8.0.35", "8.4.1", "5.7.44", "nonsense"]) {
    assert.notEqual(whyNotRestorable(manifest, version), null, version);
  }
});

Deno.test("a manifest with a flipped bit anywhere is refused, or says what it said before", () => {
  const bytes = new TextEncoder().encode(encodeManifest(manifest));
  const kept = new Set<string>();
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Uint8Array.from(bytes, (byte, index) => index === at ? byte ^ 2 : byte);
    try {
      kept.add(JSON.stringify(decodeManifest(new TextDecoder().decode(flipped))));
    } catch (error) {
      assert.ok(error instanceof SyntaxError);
    }
  }
  assert.deepEqual([...kept].filter((one) => one !== JSON.stringify(manifest)), []);
});

Deno.test("a manifest of an earlier version, without a checksum of its own, can be read", () => {
  const text = encodeManifest(manifest);
  assert.ok(isSealed(text));
  const older = text.replace(/,\n {2}"checksum": "\w+"/, "");
  assert.ok(!isSealed(older));
  assert.deepEqual(decodeManifest(older), manifest);
});
