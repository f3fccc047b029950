/** Why what only a leader can do cannot be done. */

/** For a node that knows no leader; one that is in no cluster will never know one. */
export function nobodyLeads(member: boolean): string {
  return member
    ? "nobody leads just now, try again later"
    : 'this node is in no cluster: "xenon cluster add" founds one, or on a member takes it in';
}
