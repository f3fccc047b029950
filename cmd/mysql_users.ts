/** `mysql createuser` and its kin: accounts, changed at the leader whichever node is asked. */
import { askAgent, tellAgent } from "./ask.ts";
import { CommandError, type Outcome } from "./exit.ts";
import type { Facts } from "./facts.ts";
import type { Cluster, World } from "./ports.ts";
import type { UserChange } from "./tree/mysql_users.ts";

const next = "see the accounts with xenon mysql getuser, and the leader with xenon cluster status";

/** Makes, changes or drops an account. Its password is sealed on its way and never printed. */
export async function changeUser(
  cluster: Cluster,
  world: World,
  wish: { readonly change: UserChange; readonly deadlineMs: number },
): Promise<Outcome> {
  const { change, deadlineMs } = wish;
  const params = "password" in change
    ? { ...change.account, password: await world.readSecret(change.password, "--password-file") }
    : change.account;
  return await tellAgent(cluster, {
    method: "user.change",
    params: { ...params },
    confidential: true,
    deadlineMs,
    what: "change the account",
    next,
  });
}

interface Account {
  readonly user: string;
  readonly host: string;
  readonly superior: boolean;
}

/** `mysql getuser`: every account of the leader, with the original's keys. */
export async function getUsers(cluster: Cluster, deadlineMs: number): Promise<Facts> {
  const question = { method: "user.list", params: {}, deadlineMs } as const;
  const answer = await askAgent(cluster, {
    ...question,
    what: "list the accounts",
    next: "see the cluster and its leader with xenon cluster status",
  });
  const accounts = accountsOf(answer.result);
  const value = accounts.map(({ user, host, superior }) => ({
    User: user,
    Host: host,
    SuperPriv: superior ? "Y" : "N",
  }));
  const rows = value.map(({ User, Host, SuperPriv }) => [User, Host, SuperPriv]);
  return { table: { header: ["User", "Host", "SuperPriv"], rows }, value };
}

function accountsOf(value: unknown): readonly Account[] {
  const { accounts } = (value ?? {}) as { readonly accounts?: unknown };
  if (Array.isArray(accounts) && accounts.every(isAccount)) return accounts;
  throw new CommandError("Cannot read the accounts, as the agent's answer is of another kind", {
    next: "run the same version of xenon everywhere",
  });
}

function isAccount(value: unknown): value is Account {
  const { user, host, superior } = (value ?? {}) as Partial<Account>;
  return typeof user === "string" && typeof host === "string" && typeof superior === "boolean";
}
