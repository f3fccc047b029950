import assert from "node:assert/strict";
import { closedStartOptions } from "./start_options.ts";
import { parseVersion, type Version } from "./version.ts";

function version(text: string): Version {
  const read = parseVersion(text);
  assert.ok(read.ok);
  return read.version;
}

Deno.test("closedStartOptions() closes the server and keeps semi-sync loaded and off", () => {
  assert.deepEqual(closedStartOptions(version("9.7.4")), [
    "--super-read-only=ON",
    "--skip-replica-start=ON",
    "--plugin-load-add=semisync_source.so",
    "--plugin-load-add=semisync_replica.so",
    "--loose-rpl-semi-sync-source-enabled=OFF",
    "--loose-rpl-semi-sync-replica-enabled=OFF",
    "--loose-rpl-semi-sync-source-timeout=4294967295",
  ]);
});

Deno.test("closedStartOptions() uses the old words for a server before 8.0.26", () => {
  for (const text of ["5.7.44", "8.0.25"]) {
    const options = closedStartOptions(version(text)).join(" ");
    assert.match(options, /^--super-read-only=ON --skip-slave-start --plugin-load-add=semisync_m/);
    assert.doesNotMatch(options, /replica|source/);
  }
  assert.match(closedStartOptions(version("8.0.26")).join(" "), /semisync_source/);
});
