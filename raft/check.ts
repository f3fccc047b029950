/** Cheap truths, checked after every step and in production too. */
import type { State } from "./state.ts";
import type { Config } from "./types.ts";
import { invariant } from "./invariant.ts";
import { isNewer } from "./list_version.ts";

/** Throws when the step from `before` to `after` broke a promise of the protocol. */
export function checkState(config: Config, before: State, after: State): void {
  const [old, now] = [before.durable, after.durable];
  invariant(now.term >= old.term, `the term never falls: ${old.term} to ${now.term}`);
  invariant(
    now.term > old.term || old.votedFor === null || now.votedFor === old.votedFor,
    `one vote a term: ${old.votedFor} to ${now.votedFor} in term ${now.term}`,
  );
  invariant(
    old.membership === null ||
      (now.membership !== null && !isNewer(old.membership, now.membership)),
    "the member list never becomes an older one",
  );
  invariant((now.membership?.term ?? 0) <= now.term, "no list is of a term that is not known");
  invariant(now.resigned >= old.resigned, "a resignation is never taken back");
  invariant(
    old.membership === null || now.membership?.cluster === old.membership.cluster,
    "a node never changes its cluster",
  );
  if (after.role === "leader") {
    invariant(now.votedFor === config.id, "a leader voted for itself");
    invariant(now.resigned < now.term, "a leader has not resigned from its term");
    invariant(after.following === null, "a leader replicates from nobody");
    invariant(!config.witness, "a witness never leads");
  }
  if (after.role === "fencing") {
    invariant(after.frozen === null, "nothing is promised while the server is being closed");
  }
}
