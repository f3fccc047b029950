/**
 * The copy method "xtrabackup": the donor's agent runs the tool and sends its stream over ssh to this
 * host, where the files are unpacked, checked for completeness and prepared.
 */
import type {
  Copied,
  CopyControl,
  CopyMethod,
  CopyProgress,
  CopyWish,
} from "../backup/copy_method.ts";
import { EarlyCopy, untilReady } from "../backup/early_copy.ts";
import { whyNoPlace } from "../backup/ssh.ts";
import { whyUnfit } from "../backup/xtrabackup.ts";
import { parseVersion } from "../mysql/version.ts";
import type { Clock, PeerAnswer, Peers } from "./ports.ts";
import { decodeChecked, decodeSent, type Destination, type Sent } from "./wire_sender.ts";

/** What the joiner's side needs of its host. */
export interface ReceiverTools {
  /** The version of xtrabackup here; null where there is none. */
  version(): Promise<string | null>;
  /** Makes the empty folder that the copy comes into. */
  makeTarget(wish: CopyWish): Promise<void>;
  /** Ends what still unpacks into a target when its sender is gone. */
  endReceivers(target: string): Promise<void>;
  /** Is everything there? Gives the position; rejects with what is missing. */
  judge(target: string): Promise<Copied>;
  /** Applies the log that came with the data, and hands the files over to their owner. */
  prepare(wish: CopyWish, signal: AbortSignal): Promise<void>;
}

export interface XtrabackupOptions {
  readonly peers: Peers;
  readonly clock: Clock;
  readonly tools: ReceiverTools;
  /** How donors log in here. */
  readonly destination: Destination;
  readonly newId: () => string;
}

const checkMs = 28_000;
const callMs = 5_000;
/** The old data waits for this. A donor that does not hear it gives up when nobody asks any more. */
const stopMs = 1_000;
const askEveryMs = 500;
/** An agent that is started anew answers again sooner; longer silence means that it is gone. */
const silentMsMax = 20_000;

/** The method as rebuilds and backups use it. */
export function createXtrabackupMethod(options: XtrabackupOptions): CopyMethod {
  const early = new EarlyCopy((asked, control) => copy(options, asked, control));
  return {
    name: "xtrabackup",
    check: (wish) => check(options, wish),
    begin: (wish, start) => void early.begin(wish, start),
    copy: (wish, control) => early.follow(wish, control),
    prepare: async (wish, control) => {
      control.say(`Applying the log with ${wish.limits.useMemory} of memory`);
      await options.tools.prepare(wish, control.signal);
    },
    abandon: async ({ target }) => {
      await early.end();
      await options.tools.endReceivers(target);
    },
  };
}

async function check(
  { peers, tools, destination }: XtrabackupOptions,
  { donor }: CopyWish,
): Promise<readonly string[]> {
  const place = whyNoPlace(destination);
  if (place !== null) return [`donors cannot log in here as ${place}: correct [backup] ssh-*`];
  const question = { method: "backup.check", params: { destination } };
  const [here, answer] = await Promise.all([
    tools.version(),
    peers.call(donor.id, question, { deadlineMs: checkMs }),
  ]);
  const own = here === null
    ? ["xtrabackup is not in [backup] xtrabackup-bindir of this host: install Percona XtraBackup"]
    : unfit(here, donor.version);
  if ("failed" in answer) return [...own, `donor ${donor.id}: ${answer.failed.because}`];
  const { problems, toolVersion } = decodeChecked(answer.ok);
  const theirs = toolVersion === null ? [] : unfit(toolVersion, donor.version);
  return [...own, ...[...problems, ...theirs].map((problem) => `donor ${donor.id}: ${problem}`)];
}

function unfit(tool: string, serverVersion: string): readonly string[] {
  const server = parseVersion(serverVersion);
  const because = server.ok ? whyUnfit(tool, server.version) : server.because;
  return because === null ? [] : [because];
}

async function copy(
  options: XtrabackupOptions,
  { wish, donorReady }: { readonly wish: CopyWish; readonly donorReady: Promise<void> },
  control: CopyControl,
): Promise<Copied> {
  await untilReady(donorReady, control.signal);
  const { peers, tools, destination, newId } = options;
  const { donor, target, limits } = wish;
  const id = newId();
  await tools.makeTarget(wish);
  const { parallel, iopsMax: throttle } = limits;
  const params = { id, destination, target, parallel, throttle };
  const question = { method: "backup.send", params };
  const begun = await peers.call(donor.id, question, { deadlineMs: callMs });
  if ("failed" in begun) {
    throw new Error(`Donor ${donor.id} does not begin the copy: ${begun.failed.because}`);
  }
  control.say(`${donor.id} sends to ${destination.user}@${destination.host}:${destination.port}`);
  try {
    await follow(options, { id, wish, control });
    return await tools.judge(target);
  } catch (error) {
    const stop = { method: "backup.stop", params: { id } };
    await peers.call(donor.id, stop, { deadlineMs: stopMs });
    await tools.endReceivers(target);
    throw error;
  }
}

/** Asks the donor how far it is until everything was sent. */
async function follow(
  { peers, clock }: XtrabackupOptions,
  { id, wish, control }: {
    readonly id: string;
    readonly wish: CopyWish;
    readonly control: CopyControl;
  },
): Promise<void> {
  const { donor } = wish;
  let heardAt = clock.now();
  while (true) {
    control.signal.throwIfAborted();
    const question = { method: "backup.sent", params: { id } };
    const { signal } = control;
    const answer = await peers.call(donor.id, question, { deadlineMs: callMs, signal });
    signal.throwIfAborted();
    const sent = heard(answer, donor.id);
    if (sent !== null) {
      heardAt = clock.now();
      if (sent.state === "failed") throw new Error(`The copy failed as ${sent.because}`);
      control.progress(progressOf(sent, donor.dataBytes));
      if (sent.state === "done") return;
    } else if (clock.now() - heardAt > silentMsMax) {
      throw new Error(`The copy failed as the donor's agent ${donor.id} does not answer any more`);
    }
    await pause(clock, control.signal);
  }
}

/** Null where nobody answered, which may pass. */
function heard(answer: PeerAnswer, donor: string): Sent | null {
  if ("ok" in answer) return decodeSent(answer.ok);
  const { kind, because } = answer.failed;
  if (kind === "rpc") throw new Error(`The copy failed on donor ${donor}: ${because}`);
  return null;
}

function progressOf({ bytes }: Extract<Sent, { bytes: number }>, total: number | null) {
  // The stream carries logs too, so it may be more than the data that was measured.
  const bytesTotal = total === null ? null : Math.max(total, bytes);
  return { bytesDone: bytes, bytesTotal } satisfies CopyProgress;
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = clock.after(askEveryMs, resolve);
  const abort = () => resolve();
  signal.addEventListener("abort", abort);
  await promise;
  signal.removeEventListener("abort", abort);
  stop();
}
