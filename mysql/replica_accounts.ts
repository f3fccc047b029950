/** The replication accounts of one server: made where it leads, chosen where it follows. */

import { missingAcknowledgers } from "./acknowledgers.ts";
import { Connection, type Endpoint } from "./client.ts";
import type { ServerFacts } from "./facts.ts";
import type { ReplicationAccount } from "./plan_promote.ts";
import {
  accountRows,
  accountsQuery,
  chooseAccount,
  createAccounts,
  givePassword,
  isUsable,
  type ReplicaName,
  replicationAccount,
  spreadPassword,
  usableRow,
} from "./replication_account.ts";
import type { Sessions } from "./sessions.ts";
import type { StatementRunner } from "./statement_runner.ts";

export interface ReplicaAccountsParts {
  readonly sessions: Sessions;
  readonly statementMs: number;
  /** How an agent reaches this server. */
  readonly endpoint: Endpoint;
  readonly connectMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly replication: { readonly user: string; readonly password: string };
}

/** Whom a receiver reads from, and as whom. */
interface SourceName {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** So often is a login tried that failed, as its account may not have arrived yet. */
const triesMax = 3;
const tryAgainMs = 10_000;
/** How the server shows such a login. */
const loginName = "xenon-login";
/** ER_ACCESS_DENIED_ERROR, as a receiver reports it. */
const accessDenied = 1045;

/** Knows which accounts a server has. */
export class ReplicaAccounts {
  readonly #parts: ReplicaAccountsParts;
  /** Seen usable since the last promotion or removal here. */
  readonly #known = new Set<string>();
  /** Given the configured password by this agent: the UUID of the server, and the account. */
  readonly #given = new Set<string>();
  /** Accounts whose password this agent has written to the binary log. */
  readonly #spread = new Set<string>();
  /** Logins that failed here, and when they are tried again. */
  readonly #failures = new Map<string, number>();
  #tryAt = 0;
  /** Where the receiver was refused with the password that it has, and where it got the present one. */
  #refusedAt = "";
  #pointedAt = "";

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
    return replicas.map((replica) => {
      const user = this.nameOf(replica);
      return { user, password, present: false, given: false, hasPassword: false };
    });
  }

  /**
   * Logs in as the replicas do, on a follower and in good time: accounts that have the configured password
   * already need none from a promotion, where every statement costs writes.
   */
  async tryLogins(
    replicas: readonly ReplicaName[],
    { serverUuid }: Pick<ServerFacts, "serverUuid">,
  ): Promise<void> {
    const { endpoint, connectMs, now, replication: { password } } = this.#parts;
    const users = replicas.map((replica) => this.nameOf(replica)).filter((user) =>
      !this.isGiven(serverUuid, user) && (this.#failures.get(user) ?? 0) < triesMax
    );
    if (users.length === 0 || now() < this.#tryAt) return;
    this.#tryAt = now() + tryAgainMs;
    for (const user of users) {
      try {
        await using _ = await Connection.connect({
          ...endpoint,
          user,
          password,
          connectMs,
          programName: loginName,
        });
        this.gave(serverUuid, [user]);
        this.#spread.add(user);
      } catch {
        this.#failures.set(user, (this.#failures.get(user) ?? 0) + 1);
      }
    }
  }

  /** Has this agent given the account of this server the configured password? */
  isGiven(serverUuid: string, user: string): boolean {
    return this.#given.has(`${serverUuid} ${user}`);
  }

  /** These have the configured password, as far as the server took it. */
  gave(serverUuid: string, users: readonly string[]): void {
    for (const user of users) this.#given.add(`${serverUuid} ${user}`);
  }

  /** Is the receiver refused there, with a password that this agent has not given it? */
  renews(facts: ServerFacts, source: SourceName): boolean {
    const where = shownSource(source);
    if (facts.replication?.receiverErrorNumber === accessDenied) this.#refusedAt = where;
    return this.#refusedAt === where && this.#pointedAt !== where;
  }

  /** The receiver was pointed there with the present password. */
  pointed(source: SourceName): void {
    this.#pointedAt = shownSource(source);
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

  /** On an open leader: for those who joined since its promotion, and the password for all servers. */
  async make(
    runner: StatementRunner,
    wish: { readonly replicas: readonly ReplicaName[]; readonly facts: ServerFacts },
  ): Promise<void> {
    const { readOnly, semiSyncSource } = wish.facts;
    if (readOnly || missingAcknowledgers(semiSyncSource) !== null) return;
    const { sessions, statementMs: deadlineMs, replication: { password } } = this.#parts;
    const users = wish.replicas.map((replica) => this.nameOf(replica));
    const work = await sessions.get("work");
    const query = () => work.query(accountsQuery(users), { deadlineMs });
    const what = "look for replication accounts";
    const rows = accountRows(await runner.guarded(work, { what, run: query }));
    const missing = users.filter((user) => !isUsable(rows, user));
    const options = { deadline: "acknowledged", connection: "marker" } as const;
    await runner.run(createAccounts(missing, password, options));
    const { serverUuid, version } = wish.facts;
    this.gave(serverUuid, missing);
    for (const user of missing) this.#spread.add(user);
    const old = users.filter((user) => !this.isGiven(serverUuid, user)).flatMap((user) =>
      usableRow(rows, user) ?? []
    );
    await runner.run(givePassword(old, password, version));
    this.gave(serverUuid, users);
    const local = users.filter((user) => !this.#spread.has(user));
    // One that was given up is in the binary log all the same: it is not written again.
    for (const user of local) this.#spread.add(user);
    await runner.run(spreadPassword(local, password));
    for (const user of users) this.#known.add(user);
  }
}

function shownSource({ host, port, user }: SourceName): string {
  return `${user} ${host}:${port}`;
}
