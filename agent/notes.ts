/** What an operator switched off or stopped, said with every status: nothing of it may be forgotten. */
import type { ServerFacts } from "../mysql/facts.ts";
import { quorum } from "../raft/quorum.ts";
import type { State } from "../raft/state.ts";
import type { NodeMemory } from "./store.ts";

export interface NotesContext {
  readonly memory: NodeMemory;
  readonly state: State;
  readonly facts: ServerFacts | null;
  /** Why binary logs are kept that could go; null when nothing is in the way. */
  readonly purgeHeld: string | null;
  /** The server does not run, and the monitor that would start it is off. */
  readonly leftDown: boolean;
}

/** One sentence each, the most urgent first. */
export function notesOf(
  { memory, state, facts, purgeHeld, leftDown }: NotesContext,
): readonly string[] {
  const notes: string[] = [];
  const unsafe = looseSemiSync(state, facts);
  if (unsafe !== null && !memory.semiSyncCheck) notes.push(unsafe);
  else if (!memory.semiSyncCheck) notes.push(uncheckedNote);
  if (memory.stopped) notes.push(stoppedNote(facts !== null));
  else if (leftDown) notes.push(leftDownNote);
  const tooOld = purgedAtSource.has(facts?.replication?.receiverErrorNumber ?? 0);
  if (tooOld) notes.push(tooOldNote);
  if (memory.errant !== "") notes.push(errantNote(memory.errant));
  if (purgeHeld !== null) notes.push(`binary logs are kept: ${purgeHeld}`);
  return notes;
}

/** Why an open leader's commits are confirmed too early; null while semi-sync is as it must be. */
export function looseSemiSync(state: State, facts: ServerFacts | null): string | null {
  const { membership } = state.durable;
  if (state.role !== "leader" || state.stage !== "leading") return null;
  if (membership === null || facts === null) return null;
  const { k } = quorum(membership);
  const { enabled, status, waitForCount } = facts.semiSyncSource;
  if (k === 0 || (enabled && status && waitForCount >= k)) return null;
  return `WRITES ARE NOT SAFE: semi-sync is ${
    enabled ? `waiting for ${waitForCount}` : "OFF"
  } and ` +
    `must wait for ${k}; repair it with "xenon raft enablechecksemisync"`;
}

/** The receiver's number of "source has purged required binary logs", before 8.0 and since. */
const purgedAtSource = new Set([1236, 13114]);
const tooOldNote = "the source has removed binary logs that this server needs: copy it anew with " +
  '"xenon mysql rebuildme"';
const uncheckedNote = "semi-sync is not checked here: an operator switched that off";

const leftDownNote = 'the monitor is off, so nothing starts MySQL: "xenon mysql start" does';

function errantNote(errant: string): string {
  return `only this server has ${errant}, written here while another node led: the others get it when ` +
    "this node leads";
}

function stoppedNote(answers: boolean): string {
  return answers
    ? 'an operator stopped MySQL and somebody started it: say "xenon mysql start" to let it lead again'
    : 'an operator stopped MySQL: "xenon mysql start" starts it';
}
