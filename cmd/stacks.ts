/** What takes the stacks of a process: the programs in the order of how little they disturb it. */

export interface StackProgram {
  readonly name: string;
  /** Debian package that brings it; null where none does. */
  readonly package: string | null;
  readonly command: (pid: number) => readonly string[];
}

/** The original's program first, then what usually is there. */
export const stackPrograms: readonly StackProgram[] = [
  {
    name: "quickstack",
    package: null,
    command: (pid) => ["quickstack", "-s", "-k", "10", "-p", String(pid)],
  },
  {
    name: "eu-stack",
    package: "elfutils",
    command: (pid) => ["eu-stack", "-p", String(pid)],
  },
  {
    name: "gdb",
    package: "gdb",
    command: (pid) => ["gdb", "-nx", "-batch", "-p", String(pid), "-ex", "thread apply all bt"],
  },
];

/** The stacks, and who took them. */
export interface Stacks {
  readonly program: string;
  readonly pid: number;
  readonly text: string;
}
