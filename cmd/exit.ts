/**
 * How a command ends: a code that scripts can rely on, and on failure one line on stderr that says
 * what went wrong and what to do next; findings with a place in a file stand above it, one a line.
 */

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Facts were printed, but some nodes did not answer. */
  partial: 3,
} as const;

export type ExitCode = typeof exitCodes[keyof typeof exitCodes];

/** What a command leaves behind: both texts end with a newline unless empty. */
export interface Outcome {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

interface CommandErrorOptions {
  readonly next: string;
  readonly code?: ExitCode;
  readonly cause?: unknown;
  readonly details?: readonly string[];
}

/** A failure that a command expected and for which it knows the operator's next step. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: ExitCode;
  readonly next: string;
  /** Findings that stand on lines of their own above the message, as compilers print them. */
  readonly details: readonly string[];

  /** The message says what cannot be done and why; next is a sentence that begins lower case. */
  constructor(message: string, options: CommandErrorOptions) {
    super(message, { cause: options.cause });
    this.details = options.details ?? [];
    this.code = options.code ?? exitCodes.failed;
    this.next = options.next;
  }
}

/** Longest line on stderr, in characters: a reason may quote what another program printed. */
const lineLengthMax = 1000;
/** More findings than this are not read anyway. */
const detailsMax = 100;

/** Turns anything thrown by a command into its outcome. */
export function explain(error: unknown): Outcome {
  if (error instanceof CommandError) {
    return failure(error.code, `${withCauses(error)}; next: ${error.next}`, error.details);
  }
  const message = error instanceof Error ? withCauses(error) : String(error);
  const next = "next: run it again with --help, or look at the agent's log";
  return failure(exitCodes.failed, `${message}; ${next}`);
}

/** An outcome that printed facts or a short confirmation. */
export function success(stdout: string, code: ExitCode = exitCodes.ok): Outcome {
  return { code, stdout, stderr: "" };
}

/** An outcome with one line on stderr, below the lines of its details where there are any. */
export function failure(
  code: ExitCode,
  sentence: string,
  details: readonly string[] = [],
): Outcome {
  const shown = details.slice(0, detailsMax).map(oneLine);
  if (details.length > detailsMax) shown.push(`and ${details.length - detailsMax} more`);
  const lines = [...shown, `xenon: ${oneLine(sentence)}`];
  return { code, stdout: "", stderr: `${lines.join("\n")}\n` };
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > lineLengthMax ? `${line.slice(0, lineLengthMax - 3)}...` : line;
}

/** The reason of a failure is often only in its cause, "fetch failed" for one. */
function withCauses(error: Error): string {
  const causesMax = 4;
  const messages = [error.message || error.name];
  let cause = error.cause;
  for (let depth = 0; depth < causesMax && cause instanceof Error; depth++) {
    if (!messages.some((message) => message.includes((cause as Error).message))) {
      messages.push(cause.message);
    }
    cause = cause.cause;
  }
  return messages.join(": ");
}
