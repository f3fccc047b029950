/** `xenon mysql backup`, `cancelbackup` and `restore`: asks the agent of this host and follows it. */
import { decodeJobList } from "../agent/wire_jobs.ts";
import { CommandError, type Outcome } from "./exit.ts";
import { askJobs, cancelJob, submitJob } from "./jobs.ts";
import { factsDeadlineMs } from "./open.ts";
import type { Cluster, Surroundings } from "./ports.ts";
import type { BackupCommand } from "./tree/mysql_backup.ts";

/** The agent does the work; a lost terminal ends nothing. */
export async function mysqlBackup(
  cluster: Cluster,
  command: BackupCommand,
  around: Surroundings,
): Promise<Outcome> {
  const deadlineMs = factsDeadlineMs(command.common);
  const absolute = (path: string) => absolutePath(path, around.world.workingFolder);
  switch (command.kind) {
    case "backup": {
      const { to, from, method } = command;
      const wish = { to: absolute(to), from, method };
      return await submitJob(cluster, { kind: "backup", wish }, { around, deadlineMs });
    }
    case "restore": {
      const wish = { from: absolute(command.from) };
      return await submitJob(cluster, { kind: "restore", wish }, { around, deadlineMs });
    }
    case "cancelbackup": {
      const jobs = decodeJobList(
        await askJobs(cluster, { method: "jobs.list", params: {}, deadlineMs }),
      );
      const running = jobs.find(({ state }) => state === "running");
      if (running?.kind === "backup") return await cancelJob(cluster, running.number, deadlineMs);
      const why = running === undefined ? "" : `: job ${running.number} is a ${running.kind}`;
      throw new CommandError(`Cannot cancel a backup as none runs on this host${why}`, {
        next: "see all jobs of this host with xenon jobs",
      });
    }
  }
}

/** The folder as the agent needs it, which runs elsewhere than the operator's shell. */
function absolutePath(path: string, workingFolder: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${workingFolder}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
