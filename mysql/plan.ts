/**
 * What a plan says: nothing more to do, the next statements in order, or why not.
 *
 * A plan is asked with fresh facts, its statements run one after the other, then it is asked again,
 * until it is done. It may be interrupted after any statement: asked again, it goes on from what the
 * server shows. The caller checks before every statement that its term is still the present one.
 */

/** The answer of a plan for one look at the server. */
export type Plan =
  | { readonly kind: "done" }
  | { readonly kind: "run"; readonly statements: readonly Statement[] }
  | { readonly kind: "refuse"; readonly because: string };

/** How long a statement may take before it is killed and its end verified. */
export type Deadline =
  /** A setting or a look: milliseconds normally. */
  | "quick"
  /** Threads start or stop, files are thrown away or plugins loaded: mostly milliseconds, at times seconds. */
  | "thread"
  /** A bounded wait on the server of at most `waitSliceSeconds`. */
  | "wait"
  /** A commit that must be acknowledged by k replicas: never killed, only looked at again. */
  | "acknowledged";

/** The default of each deadline in milliseconds. */
export const deadlinesMs: Readonly<Record<Deadline, number>> = {
  quick: 2_000,
  thread: 10_000,
  wait: 3_000,
  acknowledged: 2_000,
};

/** One wait on the server: short, so that progress is seen and a lost term is noticed. */
export const waitSliceSeconds = 1;

/**
 * Which connection runs a statement. "work" is the one queue of all changes. Statements of "marker" that
 * stand next to each other share one fresh connection, closed after the last of them or after a failure,
 * because `gtid_next` belongs to the session. "request" is one that may hang: the request for
 * super_read_only. "fence" is held open in advance for kills and looks while others hang.
 */
export type Connection = "work" | "marker" | "request" | "fence";

/** One statement of a plan. */
export interface Statement {
  readonly sql: string;
  /** One short sentence for logs and status; never holds a secret. */
  readonly what: string;
  readonly deadline: Deadline;
  readonly connection: Connection;
  /** Error numbers of the server that mean "already so". */
  readonly allowedErrors: readonly number[];
  /** True when `sql` holds a password: it must not be logged, shown or quoted in errors. */
  readonly secret: boolean;
  /** True when the server may answer nobody for about a second while it runs. */
  readonly stalls: boolean;
  /** True for a setting of the operator: its failure is a warning, and the next statement runs. */
  readonly mayFail: boolean;
}

/** A statement of the work queue; the options overrule the defaults. */
export function statement(
  sql: string,
  what: string,
  options: Partial<Omit<Statement, "sql" | "what">> = {},
): Statement {
  return {
    sql,
    what,
    deadline: "quick",
    connection: "work",
    allowedErrors: [],
    secret: false,
    stalls: false,
    mayFail: false,
    ...options,
  };
}

/** The plan that has reached its goal. */
export const done: Plan = { kind: "done" };

/** A plan that runs statements, or is done where there are none. */
export function run(...statements: readonly Statement[]): Plan {
  return statements.length === 0 ? done : { kind: "run", statements };
}

/** A plan that cannot go on, with the reason as one sentence without a full stop. */
export function refuse(because: string): Plan {
  return { kind: "refuse", because };
}
