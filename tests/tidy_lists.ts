/**
 * What the tidy test, the lint plugin and the test runner know about the tree: which folder may
 * import which, and which files may touch the world. A file that is not named here is pure.
 */

/** Which folder may import which. Anything not named here is a broken build. */
export const importArrows: Readonly<Record<string, readonly string[]>> = {
  raft: [],
  mysql: [],
  backup: ["mysql"],
  agent: ["raft", "mysql", "backup"],
  // The commands see values of the protocol only through the agent; the agent command builds all of it.
  cmd: ["agent", "mysql", "backup", "raft"],
  bench: ["cmd", "agent", "mysql", "backup", "raft"],
};

/**
 * Files that may use the clock, the dice, timers, the disk, the network or processes. An entry that
 * ends in a slash names a whole folder.
 */
export const impureFiles: readonly string[] = [
  "main.ts",
  "agent/real/",
  "backup/checksums.ts",
  "backup/clone.ts",
  "backup/copy_files.ts",
  "backup/old_sends.ts",
  "backup/real_folders.ts",
  "backup/saved.ts",
  "backup/scratch_server.ts",
  "backup/scratch_template.ts",
  "backup/folder.ts",
  "backup/left_processes.ts",
  "backup/receiving.ts",
  "backup/sending.ts",
  "backup/restore.ts",
  "backup/fake_restore.ts",
  "backup/start_once.ts",
  "backup/stream.ts",
  "backup/take_backup.ts",
  "cmd/agent.ts",
  "cmd/agent_copies.ts",
  "cmd/agent_jobs.ts",
  "cmd/demo.ts",
  "cmd/demo/",
  "cmd/real/",
  "bench/",
  "mysql/binary_log_end.ts",
  "mysql/binary_log_files.ts",
  "mysql/administration.ts",
  "mysql/client.ts",
  "mysql/cloning.ts",
  "mysql/closing.ts",
  "mysql/cut_off.ts",
  "mysql/data_folder.ts",
  "mysql/database.ts",
  "mysql/fence_runner.ts",
  "mysql/freezing.ts",
  "mysql/half_applied.ts",
  "mysql/held_up.ts",
  "mysql/other_sessions.ts",
  "mysql/process.ts",
  "mysql/sandbox.ts",
  "mysql/promotion.ts",
  "mysql/reach.ts",
  "mysql/replica_accounts.ts",
  "mysql/server.ts",
  "mysql/server_process.ts",
  "mysql/sessions.ts",
  "mysql/statement_runner.ts",
  "mysql/take_look.ts",
  "mysql/time_left.ts",
  "mysql/unblocking.ts",
  "tests/",
];

/** True for a file of ours that must run without any permission; tests count with their file. */
export function isPure(path: string): boolean {
  const subject = path.replace(/_test\.ts$/, ".ts");
  return path.endsWith(".ts") &&
    !impureFiles.some((entry) => entry.endsWith("/") ? path.startsWith(entry) : subject === entry);
}

/** Folders that hold nothing written by us. */
const foreignFolders = new Set(["node_modules", "dist", ".cache", ".git"]);

/** Every file of ours, as paths from the repository's root, sorted. */
export function listFiles(root: string, folder = ""): readonly string[] {
  const paths: string[] = [];
  for (const entry of Deno.readDirSync(`${root}/${folder}`)) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) {
      if (!foreignFolders.has(entry.name)) paths.push(...listFiles(root, `${path}/`));
    } else if (entry.isFile && !entry.name.endsWith(".log")) {
      paths.push(path);
    }
  }
  return paths.sort();
}
