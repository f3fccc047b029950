import assert from "node:assert/strict";
import {
  backupName,
  backupsIn,
  outdated,
  partName,
  type Retention,
  whyNoBackupFolder,
  whyOverlaps,
} from "./backup_folders.ts";

const names = [1, 2, 3, 4].map((day) => backupName(new Date(Date.UTC(2026, 0, day, 4, 5, 6))));
const [first = "", second = "", third = "", fourth = ""] = names;
const nowMs = Date.UTC(2026, 0, 4, 4, 5, 7);

Deno.test("backupName() sorts as time does", () => {
  assert.equal(first, "2026-01-01T04-05-06Z");
  assert.deepEqual(backupsIn([third, "x", first, partName(second)]), [first, third]);
});

Deno.test("whyNoBackupFolder() accepts backups only, whole or begun", () => {
  assert.equal(whyNoBackupFolder("/b", []), null);
  assert.equal(whyNoBackupFolder("/b", [first, partName(second), "lost+found"]), null);
  const because = whyNoBackupFolder("/b", [first, "ibdata1"]);
  assert.match(because ?? "", /"\/b" as it holds other things \("ibdata1"\)/);
});

Deno.test("whyOverlaps() keeps backups and data apart in both directions", () => {
  assert.equal(whyOverlaps("/var/lib/mysql-backups", "/var/lib/mysql"), null);
  for (const [backups, data] of [["/d", "/d"], ["/d/b", "/d"], ["/d", "/d/mysql"]] as const) {
    assert.match(whyOverlaps(backups, data) ?? "", /name another place/);
  }
});

Deno.test("outdated() keeps everything unless it is told otherwise", () => {
  assert.deepEqual(outdated({ names, made: fourth }, { keepCount: 0, keepDays: 0 }, nowMs), []);
});

Deno.test("outdated() goes by count, by age, or by both", () => {
  const old = (retention: Retention) => outdated({ names, made: fourth }, retention, nowMs);
  assert.deepEqual(old({ keepCount: 3, keepDays: 0 }), [first]);
  assert.deepEqual(old({ keepCount: 0, keepDays: 2 }), [first, second]);
  assert.deepEqual(old({ keepCount: 2, keepDays: 3 }), [first, second]);
});

Deno.test("outdated() never names the backup that was just made, nor anything that is none", () => {
  const later = nowMs + 1_000 * 86_400_000;
  const all = [...names, "notes.txt", partName(first)];
  const one = { keepCount: 1, keepDays: 1 };
  assert.deepEqual(outdated({ names: all, made: fourth }, one, later), [first, second, third]);
  assert.deepEqual(outdated({ names: [fourth], made: fourth }, one, later), []);
  // The clock was ahead once.
  assert.deepEqual(outdated({ names, made: second }, { keepCount: 3, keepDays: 0 }, nowMs), [
    first,
  ]);
});
