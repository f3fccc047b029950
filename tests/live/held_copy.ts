/** Holds the copy of a rebuild by clone still: a small one on a quick machine is over before a test could disturb it. */
import { poll } from "../../cmd/demo/lab.ts";
import { argumentsOf } from "../../mysql/server_process.ts";

/**
 * Freezes the server that receives a clone beside this data folder as soon as there is one, and gives what lets
 * it go on. Rejected where none comes within `patienceMs`.
 */
export async function holdCopy(
  { dataFolder, job, patienceMs }: {
    readonly dataFolder: string;
    /** Number of the job. */
    readonly job: number;
    readonly patienceMs: number;
  },
): Promise<() => void> {
  const option = `--defaults-file=${dataFolder}/.xenon-job-${job}/scratch.cnf`;
  const pid = await poll(patienceMs, () => {
    const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name));
    const found = pids.find((one) => {
      const words = one > 0 ? argumentsOf(one) : [];
      return words.includes(option) && !words.includes("--initialize-insecure");
    });
    return Promise.resolve(found ?? null);
  });
  if (pid === undefined) throw new Error(`Job ${job} of ${dataFolder} never received a copy`);
  Deno.kill(pid, "SIGSTOP");
  return () => Deno.kill(pid, "SIGCONT");
}
