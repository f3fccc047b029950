/** The replication accounts of one server: made where it leads, chosen where it follows. */

import type { ServerFacts } from "./facts.ts";
import type { ReplicationAccount } from "./plan_promote.ts";
import {
  accountRows,
  accountsQuery,
  chooseAccount,
  createAccounts,
  isUsable,
  type ReplicaName,
  replicationAccount,
} from "./replication_account.ts";
import type { Sessions } from "./sessions.ts";
import type { StatementRunner } from "./statement_runner.ts";

export interface ReplicaAccountsParts {
  readonly sessions: Sessions;
  readonly statementMs: number;
  readonly replication: { readonly user: string; readonly password: string };
}

/** Knows which accounts a server has. */
export class ReplicaAccounts {
  readonly #parts: ReplicaAccountsParts;
  /** Seen usable since the last promotion or removal here. */
  readonly #known = new Set<string>();

  constructor(parts: ReplicaAccountsParts) {
    this.#parts = parts;
  }

  /** The user's name of a membership. */
  nameOf(replica: ReplicaName): string {
    return replicationAccount(this.#parts.replication.user, replica);
  }

  /** What a promotion makes where it is missing. */
  wanted(replicas: readonly ReplicaName[]): readonly ReplicationAccount[] {
    const { password } = this.#parts.replication;
    return replicas.map((replica) => ({ user: this.nameOf(replica), password, present: false }));
  }

  /** The server is about to lead, or a removal changes its accounts: they are looked for again. */
  forget(): void {
    this.#known.clear();
  }

  /** Are all of them there, as far as is known without asking? */
  knows(replicas: readonly ReplicaName[]): boolean {
    return replicas.every((replica) => this.#known.has(this.nameOf(replica)));
  }

  /** The account to log in with, by what this server itself knows of accounts. */
  async login(replica: ReplicaName, facts: ServerFacts): Promise<string> {
    const own = this.nameOf(replica);
    const { sessions, statementMs: deadlineMs, replication: { user: shared } } = this.#parts;
    const work = await sessions.get("work");
    const rows = accountRows(await work.query(accountsQuery([own, shared]), { deadlineMs }));
    return chooseAccount({ own, shared }, { rows, receiver: facts.replication });
  }

  /** On an open leader, for those who joined since its promotion. */
  async make(
    runner: StatementRunner,
    wish: { readonly replicas: readonly ReplicaName[]; readonly facts: ServerFacts },
  ): Promise<void> {
    const { readOnly, semiSyncSource: { enabled, clients, waitForCount } } = wish.facts;
    // While such a commit waits nobody can log in here, so the acknowledgements must be sure to come.
    if (readOnly || (enabled && clients < waitForCount)) return;
    const { sessions, statementMs: deadlineMs, replication: { password } } = this.#parts;
    const users = wish.replicas.map((replica) => this.nameOf(replica));
    const work = await sessions.get("work");
    const query = () => work.query(accountsQuery(users), { deadlineMs });
    const what = "look for replication accounts";
    const rows = accountRows(await runner.guarded(work, { what, run: query }));
    const missing = users.filter((user) => !isUsable(rows, user));
    const options = { deadline: "acknowledged", connection: "marker" } as const;
    await runner.run(createAccounts(missing, password, options));
    for (const user of users) this.#known.add(user);
  }
}
