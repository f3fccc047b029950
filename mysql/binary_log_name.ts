/** Is one file of a binary log later than another one? They are numbered, and numbers grow longer after 999999. */
export function isLaterLog(name: string, than: string): boolean {
  return name.length === than.length ? name > than : name.length > than.length;
}
