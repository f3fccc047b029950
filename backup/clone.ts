/**
 * The copy method of MySQL's CLONE plugin (8.0.17 and later): no ssh and no tools, only the servers.
 *
 * Plain CLONE INSTANCE wipes the receiver before it copies; with a DATA DIRECTORY it leaves it alone.
 * So a scratch server receives into a folder aside, and the joiner's data is not part of this at all.
 */
import { Connection } from "../mysql/client.ts";
import { DatabaseError } from "../mysql/client_error.ts";
import { messageOf } from "../mysql/message_of.ts";
import { integer, rowsOf, text } from "../mysql/rows.ts";
import { versionOf } from "../mysql/server.ts";
import { takesConnections } from "../mysql/reach.ts";
import { quoteString } from "../mysql/text.ts";
import { type CloneOffer, versionProblem } from "./clone_offer.ts";
import type { Copied, CopyControl, CopyMethod, CopyProgress, CopyWish } from "./copy_method.ts";
import { EarlyCopy, untilReady } from "./early_copy.ts";
import type { Folders } from "./ports.ts";
import { endScratch, ScratchServer } from "./scratch_server.ts";
import { ScratchTemplate } from "./scratch_template.ts";
import { pause } from "../mysql/time_left.ts";

export interface CloneOptions {
  /** The server program of this host. */
  readonly mysqld: string;
  readonly folders: Folders;
  /** The agent's own folder, where what spares a later copy time is kept. */
  readonly ownFolder: string;
  /** The account on the donor, with BACKUP_ADMIN; every node can work its password out. */
  readonly account: { readonly user: string; readonly password: string };
  /** Asks the donor's agent what it is, and to load the plugin. */
  readonly offer: (donor: string) => Promise<CloneOffer>;
  /** Asks a member's agent to have the account created by its leader. */
  readonly admit: (member: string) => Promise<void>;
}

const connectMs = 5_000;
/** The account reaches the donor by replication. */
const admittedMs = 30_000;
const admittedPollMs = 100;
const pollMs = 500;
/** A donor that cannot be reached and sends nothing for so long is gone. */
const unreachableMs = 10_000;
/** One that can be reached and sends nothing for so long hangs. */
const stalledMs = 180_000;
/** As long as a timer can be: a copy takes as long as it takes. */
const copyMsMax = 2_147_483_000;
/** Errors whose text is the server's own and holds no secret. */
const shownMax = 300;

/** The method over real servers, for one job. */
export function createClone(options: CloneOptions): CopyMethod {
  const early = new EarlyCopy((asked, control) => copy(options, asked, control));
  return {
    name: "clone",
    check: (wish) => check(options, wish),
    begin: (wish, start) => void early.begin(wish, start),
    copy: (wish, control) => early.follow(wish, control),
    abandon: async ({ workFolder }) => {
      await early.end();
      await endScratch(workFolder, options.mysqld);
    },
  };
}

/** The first one here is initialised, which takes some seconds, most of them of one processor. */
async function startScratch(
  options: CloneOptions,
  { donor, workFolder, owner }: CopyWish,
  signal: AbortSignal,
): Promise<ScratchServer> {
  const { mysqld, folders, ownFolder: parent } = options;
  const { text: version } = await versionOf(mysqld);
  const offer = await options.offer(donor.id);
  return await ScratchServer.start({
    mysqld,
    folders,
    folder: workFolder,
    owner,
    offer,
    template: new ScratchTemplate({ parent, folders, version, owner, offer }),
    donor: addressOf(donor),
    signal,
  });
}

function addressOf({ mysql }: CopyWish["donor"]): string {
  return `${mysql.host}:${mysql.port}`;
}

async function check(options: CloneOptions, wish: CopyWish): Promise<readonly string[]> {
  const problems: string[] = [];
  const add = (error: unknown) => {
    problems.push(messageOf(error));
  };
  try {
    const wrong = versionProblem(wish.donor.version, await versionOf(options.mysqld));
    if (wrong !== null) problems.push(wrong);
  } catch (error) {
    add(error);
  }
  await options.offer(wish.donor.id).catch(add);
  // A donor that cannot be cloned needs no account.
  if (problems.length === 0) await admitted(options, wish).catch(add);
  return problems;
}

/** Logs in at the donor as the receiver will, after the leader has created the account if need be. */
async function admitted(options: CloneOptions, wish: CopyWish): Promise<void> {
  if (await mayClone(options, wish)) return;
  await options.admit(wish.donor.id);
  const endsAt = performance.now() + admittedMs;
  while (!await mayClone(options, wish)) {
    if (performance.now() >= endsAt) {
      throw new Error(
        `The account "${options.account.user}" has not reached the donor ${wish.donor.id} within ` +
          `${admittedMs / 1_000} s: look at its replication`,
      );
    }
    await pause(admittedPollMs);
  }
}

/** False for an account that is not there yet or may not do it; every other trouble is an error. */
async function mayClone({ account }: CloneOptions, { donor }: CopyWish): Promise<boolean> {
  try {
    await using connection = await Connection.connect({
      ...account,
      ...donor.mysql,
      connectMs,
      programName: "xenon-job",
    });
    const sql = "SELECT COUNT(*) AS granted FROM information_schema.USER_PRIVILEGES " +
      "WHERE PRIVILEGE_TYPE = 'BACKUP_ADMIN'";
    const [row = {}] = rowsOf(await connection.query(sql, { deadlineMs: connectMs }));
    return integer(row, "granted") > 0;
  } catch (error) {
    if (error instanceof DatabaseError && error.kind === "denied") return false;
    throw error;
  }
}

async function copy(
  options: CloneOptions,
  { wish, donorReady }: { readonly wish: CopyWish; readonly donorReady: Promise<void> },
  control: CopyControl,
): Promise<Copied> {
  const { donor, target } = wish;
  const { account } = options;
  const { signal } = control;
  control.say("Waiting for the scratch server that receives the copy");
  await using scratch = await startScratch(options, wish, signal);
  await untilReady(donorReady, signal);
  await using receiver = await scratch.connect();
  await using watcher = await scratch.connect();
  control.say(`The scratch server receives from ${addressOf(donor)}`);
  const sql = `CLONE INSTANCE FROM ${quoteString(account.user)}@${quoteString(donor.mysql.host)}:` +
    `${donor.mysql.port} IDENTIFIED BY ${quoteString(account.password)} ` +
    `DATA DIRECTORY = ${quoteString(target)}`;
  const cloning = receiver.query(sql, { deadlineMs: copyMsMax });
  const watch = new AbortController();
  try {
    await Promise.race([
      cloning,
      watched(watcher, { wish, control, signal: AbortSignal.any([signal, watch.signal]) }),
    ]);
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`Cannot clone ${donor.id}: ${reasonOf(error)}`);
  } finally {
    watch.abort();
    // Ending the server, which comes next, ends the statement too.
    cloning.catch(() => {});
  }
  const done = await progressOf(watcher);
  control.progress(done);
  return { gtids: null, bytes: done.bytesDone };
}

/** Reports the progress; rejects when the donor is gone, or as soon as the copy is not wanted. */
async function watched(
  watcher: Connection,
  { wish, control, signal }: {
    readonly wish: CopyWish;
    readonly control: CopyControl;
    readonly signal: AbortSignal;
  },
): Promise<never> {
  let bytes = -1;
  let movedAt = performance.now();
  let reachedAt = performance.now();
  for (;;) {
    await waitOrAbort(signal);
    const progress = await progressOf(watcher);
    const now = performance.now();
    if (progress.bytesDone !== bytes) {
      bytes = progress.bytesDone;
      movedAt = now;
      reachedAt = now;
      control.progress(progress);
      continue;
    }
    if (await takesConnections(wish.donor.mysql, connectMs)) reachedAt = performance.now();
    const seconds = Math.round((now - movedAt) / 1_000);
    if (now - reachedAt > unreachableMs) {
      throw new Error(`the donor's MySQL cannot be reached, and nothing came for ${seconds} s`);
    }
    if (now - movedAt > stalledMs) throw new Error(`nothing came for ${seconds} s`);
  }
}

async function progressOf(watcher: Connection): Promise<CopyProgress> {
  const sql = "SELECT COALESCE(SUM(DATA), 0) AS bytes, COALESCE(SUM(ESTIMATE), 0) AS estimate " +
    "FROM performance_schema.clone_progress WHERE STAGE IN ('FILE COPY', 'PAGE COPY', 'REDO COPY')";
  const [row = {}] = rowsOf(await watcher.query(sql, { deadlineMs: connectMs }));
  const estimate = Number(text(row, "estimate", "0"));
  const bytesDone = Number(text(row, "bytes", "0"));
  return { bytesDone, bytesTotal: estimate > 0 ? Math.max(estimate, bytesDone) : null };
}

function waitOrAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, pollMs);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
  });
}

/** The statement holds the password, so of its error only what the server said is shown. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const said = error.message.replace(/^Cannot run ".*?" on [^:]*: /s, "");
  return /IDENTIFIED/i.test(said) ? "the server refused it" : said.slice(0, shownMax);
}
