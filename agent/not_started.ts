/** Why a server is not started, in sentences for its status. */
import { messageOf } from "../mysql/message_of.ts";

/** No start helps here, and a server could only leave debris behind. */
export function noData(folder: string): string {
  return `its data folder ${JSON.stringify(folder)} holds no data: ` +
    '"xenon mysql rebuildme" gives it a copy of the cluster\'s';
}

/** A server that starts on a full disk waits, and would notice new space up to a minute later. */
export function noSpace(folder: string): string {
  return `the disk of its data folder ${JSON.stringify(folder)} is full: ` +
    "free some space, then it is started";
}

/** No process came of a start. The lines of its error log are for the log, not for a status. */
export function noProcess(error: unknown): string {
  return messageOf(error).replace(
    /[;:] the last lines of its error log.*$/s,
    ": see its error log",
  );
}
