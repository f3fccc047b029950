/** How sentences count things: "1 file", "2 files". The protocol has one of its own. */
export function counted(count: number | bigint, one: string, many = `${one}s`): string {
  return `${count} ${Number(count) === 1 ? one : many}`;
}
