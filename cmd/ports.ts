/** What commands need from the world, owned by them. The real ones are in cmd/real. */

import type { ListedAddress } from "../agent/vip_commands.ts";
import type { Stacks } from "./stacks.ts";

/** One agent's answer. Only `answered` carries a result, and it is still undecoded. */
export type Answer =
  | { readonly kind: "answered"; readonly result: unknown }
  /** The agent answered that it will not, and why. */
  | { readonly kind: "refused"; readonly because: string }
  /** No agent answered within the deadline: dead, frozen, unreachable or nobody there. */
  | {
    readonly kind: "silent";
    readonly because: string;
    /** The time was over: something may be there that is frozen, overloaded or cut off. */
    readonly late?: boolean;
  };

/** One request to one agent. */
export interface Question {
  /** As the agents name it, for example "node.status". */
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The params hold a password: they are sealed on their way. */
  readonly confidential?: boolean;
  /** The call is settled after this long, whatever the other side does. */
  readonly deadlineMs: number;
}

/** The agents of one cluster, seen from one of its hosts. */
export interface Cluster {
  /** Id ("host:port") of the agent on this host, from the config. */
  readonly local: string;
  /** Other members that the config names; empty when it names none. */
  readonly seeds: readonly string[];
  /** Never rejects and never outlives the deadline. */
  call(endpoint: string, question: Question): Promise<Answer>;
}

/** What a command runs in. */
export interface Surroundings {
  readonly world: World;
  readonly programs: Programs;
}

/** The parts of xenon that are loaded only by the commands that need them. */
export interface Programs {
  /** A signed client of the agents, built from the config of this host. */
  openCluster(found: FoundConfig): Promise<Cluster>;
  /** Runs the agent of this host until it is told to stop; the number is the exit code. */
  runAgent(found: FoundConfig, world: World): Promise<number>;
  /** Takes the stacks of the server of this host. */
  takeStacks(found: FoundConfig): Promise<Stacks>;
  /** Reads the files that a config names, as an agent does when it starts. */
  checkFiles(found: FoundConfig): Promise<FileFindings>;
  /** Writes a file of mode 0600, whole or not at all; refuses to replace one unless told so. */
  writePrivate(path: string, text: string, how: { readonly replace: boolean }): Promise<void>;
  /** The terminal, for a command that shows something as it happens. */
  openScreen(): Promise<Screen>;
  /** This host, for writing its first configuration. */
  openSetup(): Promise<Setup>;
  /** Runs the demonstration; the number is the exit code. */
  runDemo(options: DemoOptions, world: World): Promise<number>;
}

/** What is wrong, and what is not quite right, with the files that a config names. */
export interface FileFindings {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Output while a command still runs. Disposing of it leaves a clean line. */
export interface Screen extends Disposable {
  line(text: string): void;
  /** A line that the next one replaces; null takes it away. */
  progress(text: string | null): void;
  /** Ctrl-C was pressed: what is shown goes on without us. */
  readonly detached: boolean;
  /** Ends after so long, or at Ctrl-C. */
  wait(ms: number): Promise<void>;
}

/** A host that is being set up. */
export interface Setup {
  /** True when somebody at a terminal can be asked. */
  readonly interactive: boolean;
  /** One line of an answer, without blanks around it. */
  ask(question: string): Promise<string>;
  /** Every address of every interface. */
  addresses(): Promise<readonly ListedAddress[]>;
  /** A secret that nobody can guess. */
  newSecret(): string;
}

/** What `xenon demo` was told. */
export interface DemoOptions {
  readonly keep: boolean;
  /** The server program to start, undefined to look for one on this machine. */
  readonly mysqld: string | undefined;
  readonly writers: number;
}

/** A config that was found: its absolute path and its text, not yet decoded. */
export interface FoundConfig {
  readonly path: string;
  readonly text: string;
}

/** Where a password comes from. */
export type SecretSource =
  /** The operator typed it as a word of the command. */
  | { readonly kind: "given"; readonly text: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "stdin" }
  /** Asked for on the terminal, without showing it. */
  | { readonly kind: "prompt" };

/** The process a command runs in. */
export interface World {
  readonly workingFolder: string;
  /** Absolute path of the xenon executable, empty when started from source. */
  readonly executable: string;
  readonly version: string;
  /** True where standard output is a terminal that shows colours. */
  readonly colour: boolean;
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Milliseconds since 1970 by the clock of this host, for people; nothing is decided by it. */
  date(): number;
  /** Shows one line of progress at once, on standard error. */
  say(line: string): void;
  /** Reads a password; rejects when there is none. */
  readSecret(source: SecretSource, fileOption: string): Promise<string>;
  env(name: string): string | undefined;
  /** The text of a file, undefined where there is none; rejects when it cannot be read. */
  readText(path: string): Promise<string | undefined>;
}
