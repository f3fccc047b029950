/** Why a copy did not arrive: judged from how both ends of the pipeline ended. Pure. */
import type { ProcessResult } from "../mysql/process.ts";
import { describeEnd } from "../mysql/process_end.ts";
import { explainSsh, type SshIdentity, type SshPlace } from "./ssh.ts";
import { whyUnfinished } from "./xtrabackup.ts";

/** Both programs of a pipeline after their end. */
export interface SendEnds {
  /** xtrabackup, here. */
  readonly source: ProcessResult;
  /** ssh, with xbstream at its other end. */
  readonly sink: ProcessResult;
  /** Which of them ended first, as far as can be seen: the other one is ended by the broken pipe. */
  readonly first: "source" | "sink";
  /** Why we ended them ourselves, if we did. */
  readonly stopped: string | null;
}

const shownMax = 400;

/**
 * The reason of a failure as the end of a sentence; null when both ends are content. Which of them ended
 * first says nothing then: xtrabackup may tidy up after its last byte. Whether everything is there, the
 * joiner sees by the files that are sent last.
 */
export function whyNotSent(
  ends: SendEnds,
  place: SshPlace,
  identity: SshIdentity,
): string | null {
  const source = sourceFault(ends.source);
  const sink = sinkFault(ends.sink, place, identity);
  // Both ends of a broken pipe end within a moment, so the first one seen may be the wrong one. What
  // ssh complains about is never the fault of the sender.
  const complaint = explainSsh(ends.sink.stderrTail, place, identity);
  const blamed = sink !== null && (complaint !== null || ends.first === "sink") ? sink : source;
  return ends.stopped ?? blamed ?? sink;
}

function sourceFault(result: ProcessResult): string | null {
  if (isGood(result)) return prefixed("xtrabackup", whyUnfinished(result.stderrTail));
  if (result.ended.how === "notStarted" || endedWith(result, 127)) {
    return "xtrabackup cannot be started: check [backup] xtrabackup-bindir on the donor";
  }
  const why = whyUnfinished(result.stderrTail) ?? "after its last step";
  return cut(`xtrabackup ${describeEnd(result)}: ${why}`);
}

function sinkFault(
  result: ProcessResult,
  place: SshPlace,
  identity: SshIdentity,
): string | null {
  if (isGood(result)) return null;
  const explained = explainSsh(result.stderrTail, place, identity);
  if (explained !== null) return explained;
  if (endedWith(result, 255)) return cut(`ssh to ${place.host} failed: ${lastLine(result)}`);
  return cut(`xbstream on ${place.host} ${describeEnd(result)}: ${lastLine(result)}`);
}

function isGood({ ended }: ProcessResult): boolean {
  return ended.how === "exit" && ended.code === 0;
}

function endedWith({ ended }: ProcessResult, code: number): boolean {
  return ended.how === "exit" && ended.code === code;
}

function prefixed(program: string, because: string | null): string | null {
  return because === null ? null : cut(`${program} did not finish: ${because}`);
}

function lastLine(result: ProcessResult): string {
  return result.stderrTail.trimEnd().split("\n").at(-1)?.trim() || "it said nothing";
}

function cut(text: string): string {
  return text.length <= shownMax ? text : `${text.slice(0, shownMax - 1)}…`;
}
