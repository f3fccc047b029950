/**
 * Which of two member lists is the newer one. As with the entries of a replicated log, the term of the
 * leader that wrote it comes first: two leaders may have given different lists the same number, and of
 * those the one of the later term was elected without knowing the other (Raft, section 5.4.1).
 */

/** A list as others compare it. */
export interface ListVersion {
  /** Of the leader that wrote it; left out for a founding. */
  readonly term?: number;
  readonly epoch: number;
}

/** Is the first newer? Any list is newer than none. */
export function isNewer(theirs: ListVersion, mine: ListVersion | null): boolean {
  if (mine === null) return true;
  const [theirTerm, myTerm] = [theirs.term ?? 0, mine.term ?? 0];
  return theirTerm > myTerm || (theirTerm === myTerm && theirs.epoch > mine.epoch);
}

/** Are both the same list, but for whether it is settled? */
export function isSame(one: ListVersion, other: ListVersion): boolean {
  return !isNewer(one, other) && !isNewer(other, one);
}

/** The list that a member said it has stored. */
export function storedBy(
  reply: { readonly listTerm: number | null; readonly epoch: number } | undefined,
): ListVersion {
  return { term: reply?.listTerm ?? 0, epoch: reply?.epoch ?? 0 };
}
