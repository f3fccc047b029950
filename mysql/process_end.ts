/** How a child process ended, in words. Pure. */
import type { ProcessResult } from "./process.ts";

/** The rest of a sentence that begins with the name of the program. */
export function describeEnd(result: ProcessResult): string {
  const ended = result.ended;
  switch (ended.how) {
    case "exit":
      return `ended with exit code ${ended.code} after ${result.durationMs} ms`;
    case "signal":
      return `was ended by ${ended.signal} after ${result.durationMs} ms`;
    case "timeout":
      return `was still running after ${ended.afterMs} ms and ${stopWord(ended.forced)}`;
    case "aborted":
      return `was no longer wanted and ${stopWord(ended.forced)}`;
    case "notStarted":
      return `could not be started as ${ended.because}`;
  }
}

function stopWord(forced: boolean): string {
  return forced ? "had to be killed" : "was stopped";
}
