/** Jobs as people read them: a table of all, and one line of progress for the one that runs. */
import type { JobSummary } from "../agent/wire_jobs.ts";
import type { Table } from "./table.ts";

/** The table of `xenon jobs`. */
export function jobsTable(jobs: readonly JobSummary[]): Table {
  return {
    header: ["Job", "Kind", "State", "Step", "Began", "Ended", "Sentence"],
    rows: jobs.map((job) => [
      String(job.number),
      job.kind,
      job.state,
      job.step,
      job.startedAt,
      job.endedAt ?? "",
      job.state === "running" ? progressLine(job) ?? job.sentence : job.sentence,
    ]),
  };
}

/** "S9 1.2 GB of 2.3 GB (52%), 180 MB/s, 6 s left"; null for a job that moves no bytes now. */
export function progressLine({ step, progress }: JobSummary): string | null {
  if (progress === null) return null;
  const { bytesDone, bytesTotal, bytesPerSecond, etaSeconds } = progress;
  const share = bytesTotal === null || bytesTotal === 0
    ? ""
    : ` of ${shownBytes(bytesTotal)} (${Math.min(100, Math.floor(100 * bytesDone / bytesTotal))}%)`;
  const rate = bytesPerSecond > 0 ? `, ${shownBytes(bytesPerSecond)}/s` : "";
  const estimating = bytesTotal === null ? "" : ", estimating the time left";
  const left = etaSeconds === null ? estimating : `, ${shownSeconds(etaSeconds)} left`;
  return `${step} ${shownBytes(bytesDone)}${share}${rate}${left}`.trim();
}

function shownBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function shownSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
