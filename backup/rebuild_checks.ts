/**
 * Steps S1 to S3 of a rebuild: who leads, who is copied, and everything that speaks against it, in one
 * list. Nothing of the node is touched here.
 */
import {
  contains,
  count,
  formatLine,
  type GtidSet,
  isEmpty,
  parse,
  subtract,
  union,
} from "../mysql/gtid.ts";
import { foldersOf } from "../mysql/server_variables.ts";
import type { CopyControl, CopyLimits, CopyMethod, CopyWish } from "./copy_method.ts";
import { chooseDonor, type DonorCandidate, type DonorChoice } from "./donor.ts";
import { filledBy, whyNotAside, whyNotPlaced } from "./file_systems.ts";
import { type JobFolders, jobFolders } from "./job_folders.ts";
import type { RebuildMemo } from "./memo.ts";
import { dataOf, targetOf, workOf } from "./moves.ts";
import {
  belongs,
  contentProblem,
  mayHoldData,
  pathProblem,
  type Place,
  placesOf,
} from "./places.ts";
import type { Folders, Host, LocalNode, Owner, Survey } from "./ports.ts";
import { counted } from "../mysql/counted.ts";

/** What the operator asked for. */
export interface RebuildWish {
  readonly from: string | null;
  readonly method: "auto" | "clone" | "xtrabackup";
  /** Goes on although transactions would be lost, cannot be counted, or the quorum is at stake. */
  readonly force: boolean;
  readonly dryRun: boolean;
  /** Begun by the agent itself: stricter, and without a limit on transactions nobody acknowledged. */
  readonly automatic: boolean;
}

export interface CheckOptions {
  readonly host: Host;
  readonly folders: Folders;
  /** The methods of this host, the one that is preferred first. */
  readonly methods: readonly CopyMethod[];
  readonly limits: CopyLimits;
  readonly wish: RebuildWish;
  readonly job: number;
  /** A rebuild by hand throws away at most so many transactions that exist only here. */
  readonly localTransactionsMax: number;
  /** The data folder that the configuration names; null where it leaves that to the server. */
  readonly configuredFolder: string | null;
  readonly keepOld: boolean;
  readonly control: CopyControl;
}

export interface Checked {
  readonly memo: RebuildMemo;
  readonly method: CopyMethod;
  /** Transactions that exist only here; empty, or null while nobody can count them. */
  readonly extra: GtidSet | null;
  readonly oldData: readonly string[];
}

/** What all checks found: the way to go, or all problems with it. */
export type CheckResult =
  | { readonly kind: "ready"; readonly checked: Checked }
  | { readonly kind: "problems"; readonly problems: readonly string[] };

/** Room for what a data folder needs besides its files, and for the writes during the copy. */
const spareBytes = 512 * 1024 * 1024;

/** Looks at everything. A problem never hides another, as far as they can be seen apart. */
export async function checkRebuild(options: CheckOptions): Promise<CheckResult> {
  const { host, wish, control } = options;
  const [{ local, survey }, found] = await Promise.all([lookAround(options), findPlaces(options)]);
  control.say(`S1 ${survey.leader === null ? "nobody leads now" : `${survey.leader.id} leads`}`);
  const choice = chooseDonor(survey.members, { self: host.self, from: wish.from });
  if (choice.kind === "donor") control.say(`S2 the donor is ${choice.donor.id}: ${choice.why}`);
  const extra = extraOf(local, survey);
  const problems = [
    ...clusterProblems(options, { local, survey }),
    ...(choice.kind === "none" ? choice.problems : []),
    ...found.problems,
    ...await extraProblems(options, { local, extra, empty: !found.holdsData }),
  ];
  if (choice.kind === "none" || found.places.length === 0) return { kind: "problems", problems };
  const dataBytes = await host.dataBytes(choice.donor.id);
  const named = await jobFolders(options.folders, found.places, options.job);
  const draft = memoOf(options, { choice, survey, found, local, extra, dataBytes, named });
  const copying = await copyProblems(options, draft);
  if (copying.kind === "problems" || problems.length > 0) {
    const more = copying.kind === "problems" ? copying.problems : [];
    return { kind: "problems", problems: [...problems, ...more] };
  }
  const { method } = copying;
  const memo = { ...draft, method: method.name };
  return { kind: "ready", checked: { memo, method, extra, oldData: found.oldData } };
}

/** The node is read before the leader: see `extraOf`. */
async function lookAround({ host, wish }: CheckOptions) {
  const local = await freshLocal(host);
  return { local, survey: await host.survey(wish.from) };
}

/**
 * The node as its agent last saw it, with the set that its server holds right now: what was born since
 * that look must not go unseen. A server that does not say it leaves the set unknown.
 */
async function freshLocal(host: Host): Promise<LocalNode> {
  const seen = host.local();
  if (seen.held === null) return seen;
  try {
    const held = formatLine(union(parse(seen.held), parse(await host.executed())));
    return { ...seen, held };
  } catch {
    return { ...seen, held: null };
  }
}

/** The wish that goes to the copy method. */
export function copyWishOf(memo: RebuildMemo, limits: CopyLimits): CopyWish {
  const { donor, owner } = memo;
  return { donor, target: targetOf(memo), workFolder: workOf(memo), owner, limits };
}

/** What only this node has, by what the leader has. The node is read first, so growth is no alarm. */
function extraOf(local: LocalNode, survey: Survey): GtidSet | null {
  if (local.held === null || survey.leader === null) return null;
  return subtract(parse(local.held), parse(survey.leader.executed));
}

function clusterProblems(
  { host, wish }: CheckOptions,
  { local, survey }: { readonly local: LocalNode; readonly survey: Survey },
): readonly string[] {
  const problems: string[] = [];
  const { members, voters, quorum } = survey;
  if (local.role === "LEADER" || survey.leader?.id === host.self) {
    problems.push(
      `This node leads: hand over first with "xenon raft trytoleader" on another node`,
    );
  }
  const others = members.filter(({ id, seen }) =>
    id !== host.self && voters.includes(id) && isHealthy(seen, local)
  );
  const matters = wish.automatic || (local.follows && voters.includes(host.self) && !wish.force);
  if (matters && others.length < quorum) {
    problems.push(
      `Only ${counted(others.length, "other voter is", "other voters are")} healthy and ` +
        `${quorum} are needed to elect a leader: ` +
        "bring the others back first, or use --force",
    );
  }
  const before = members.find(({ id, seen }) => id < host.self && seen?.role === "INVALID");
  if (wish.automatic && before !== undefined) {
    problems.push(`${before.id} is INVALID too and is rebuilt first`);
  }
  const rebuilding = members.filter(({ id, seen }) => id !== host.self && busy(seen));
  if (rebuilding.length > 0 && !wish.force) {
    const ids = rebuilding.map(({ id }) => id).join(", ");
    problems.push(`${ids} is being rebuilt or copied: wait for its end, or use --force`);
  }
  return problems;
}

/** Does this voter count in an election, and acknowledge where this node would no longer do it? */
function isHealthy(seen: DonorCandidate["seen"], { follows }: LocalNode): boolean {
  if (seen === null || seen.role === "WITNESS") return seen !== null;
  if (!seen.alive) return false;
  return seen.role === "LEADER" || (seen.role === "FOLLOWER" && (seen.replicates || !follows));
}

function busy(seen: DonorCandidate["seen"]): boolean {
  return seen !== null && seen.backup !== "NONE";
}

interface FoundPlaces {
  readonly places: readonly Place[];
  /** Folders that hold something of the server. */
  readonly oldData: readonly string[];
  /** False when no transaction can be in any of them. */
  readonly holdsData: boolean;
  readonly owner: Owner;
  readonly problems: readonly string[];
}

/** Where the server's files are; every path is what it says, after all links. */
async function findPlaces(options: CheckOptions): Promise<FoundPlaces> {
  const { host, folders, configuredFolder } = options;
  const variables = await host.variables().catch((error) => error as Error);
  if (variables instanceof Error) return noPlaces(variables.message);
  const owner = await folders.ownerNamed(variables.get("user"));
  const named = foldersOf(variables);
  if (named === null) {
    return noPlaces("The data folder is not known: write datadir into the server's option file");
  }
  const problems: string[] = [];
  if (configuredFolder !== null && configuredFolder !== named.data) {
    problems.push(
      `backup.backupdir is "${configuredFolder}" but the server's data folder is "${named.data}": ` +
        "correct the one that is wrong",
    );
  }
  const places: Place[] = [];
  const oldData: string[] = [];
  let holdsData = false;
  for (const place of placesOf(named)) {
    const folder = await folders.realPath(place.folder) ?? place.folder;
    const real = { ...place, folder };
    const problem = pathProblem(folder);
    if (problem !== null) problems.push(problem);
    const names = await folders.list(folder) ?? [];
    const wrong = place.role === "data" ? contentProblem(folder, names) : null;
    if (wrong !== null) problems.push(wrong);
    const mounted = await whyNotAside(folders, real);
    if (mounted !== null) problems.push(mounted);
    if (names.some((name) => belongs(real, name))) oldData.push(folder);
    holdsData ||= names.some((name) => mayHoldData(real, name));
    places.push(real);
  }
  const data = places[0]?.folder ?? named.data;
  return { places, oldData, holdsData, owner: await folders.owner(data) ?? owner, problems };
}

function noPlaces(problem: string): FoundPlaces {
  const owner = { uid: 0, gid: 0 };
  return { places: [], oldData: [], holdsData: false, owner, problems: [problem] };
}

async function extraProblems(
  { host, wish, localTransactionsMax, control }: CheckOptions,
  seen: { readonly local: LocalNode; readonly extra: GtidSet | null; readonly empty: boolean },
): Promise<readonly string[]> {
  const { extra, empty, local } = seen;
  if (empty) return [];
  if (extra === null) {
    if (wish.force) return [];
    const why = local.alive ? "nobody leads" : "its MySQL does not answer";
    return [
      `The transactions that exist only here cannot be counted as ${why}: ` +
      "put that right, or use --force, which keeps the old data",
    ];
  }
  if (isEmpty(extra)) return [];
  const number = count(extra);
  const here = counted(number, "transaction exists only here", "transactions exist only here");
  control.say(`${here}: ${formatLine(extra)}`);
  const problems: string[] = [];
  const forced = await host.forcedShutdown().catch((error) => (error as Error).message);
  if (forced !== null && !wish.force) {
    problems.push(
      `Transactions that exist only here may have been acknowledged to clients (${forced}): ` +
        "look at them, then use --force",
    );
  }
  if (!wish.automatic && !wish.force && number > BigInt(localTransactionsMax)) {
    problems.push(
      `${here}, and backup.max-allowed-local-trx-count allows ` +
        `${localTransactionsMax}: use --force, which saves them to files first`,
    );
  }
  return problems;
}

function memoOf(
  { keepOld }: CheckOptions,
  seen: {
    readonly choice: DonorChoice & { readonly kind: "donor" };
    readonly survey: Survey;
    readonly found: FoundPlaces;
    readonly local: LocalNode;
    readonly extra: GtidSet | null;
    readonly dataBytes: number | null;
    readonly named: JobFolders;
  },
): RebuildMemo {
  const { choice, survey, found, local, extra, dataBytes, named } = seen;
  const { id } = choice.donor;
  const { mysql = { host: "", port: 0 }, version = "", executed = "" } = choice.donor.seen ?? {};
  return {
    phase: "checking",
    method: "clone",
    donor: { id, mysql, version, dataBytes },
    wanted: survey.leader?.executed ?? executed,
    places: found.places.map((place) => ({
      ...place,
      names: place.names === null ? null : [...place.names],
    })),
    owner: found.owner,
    ...named,
    ran: local.running,
    // What nobody could look into is not thrown away.
    keepOld: keepOld || (extra === null && found.holdsData),
    member: survey.member,
    gtids: null,
  };
}

type Copying =
  | { readonly kind: "method"; readonly method: CopyMethod }
  | { readonly kind: "problems"; readonly problems: readonly string[] };

/** The first method that nothing speaks against; else what speaks against each of them. */
async function copyProblems(options: CheckOptions, memo: RebuildMemo): Promise<Copying> {
  const { methods, wish, control, limits, folders } = options;
  const wanted = methods.filter(({ name }) => wish.method === "auto" || name === wish.method);
  const space = await spaceProblems(options, memo);
  const problems: string[] = [];
  for (const method of wanted) {
    const found = [
      ...await method.check(copyWishOf(memo, limits), control),
      ...await whyNotPlaced(folders, dataOf(memo).folder, filledBy(memo.places, method.name)),
    ];
    if (found.length === 0) {
      return space.length === 0
        ? { kind: "method", method }
        : { kind: "problems", problems: space };
    }
    problems.push(...found.map((problem) => `${method.name}: ${problem}`));
  }
  if (wanted.length === 0) problems.push(`This agent has no method "${wish.method}"`);
  return { kind: "problems", problems: [...problems, ...space] };
}

/** The old data stays until the new server is verified, so the copy needs all its room besides. */
async function spaceProblems(
  { folders }: CheckOptions,
  memo: RebuildMemo,
): Promise<readonly string[]> {
  const { dataBytes, id } = memo.donor;
  const folder = memo.places[0]?.folder ?? "";
  const free = await folders.freeBytes(folder);
  const needed = (dataBytes ?? 0) + spareBytes;
  if (free >= needed) return [];
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1_048_576)} MB`;
  return [
    `The copy of ${id} needs ${megabytes(needed)} beside the old data, and "${folder}" has ` +
    `${megabytes(free)} free: make room there`,
  ];
}

/** Does the new server have what the donor had before the copy? Null when it does. */
export function missingFrom(executed: string, wanted: string): string | null {
  const lacking = subtract(parse(wanted), parse(executed));
  return contains(parse(executed), parse(wanted)) ? null : formatLine(lacking);
}
