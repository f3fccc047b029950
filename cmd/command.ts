/**
 * What an operator can ask for, after the words of the command line are understood. Each group of
 * commands describes its own part beside its words, in `cmd/tree/`.
 */
import type { AgentCommand } from "./tree/agent.ts";
import type { ClusterCommand } from "./tree/cluster.ts";
import type { CompletionCommand } from "./tree/completion.ts";
import type { ConfigCommand } from "./tree/config.ts";
import type { DemoCommand } from "./tree/demo.ts";
import type { JobsCommand } from "./tree/jobs.ts";
import type { InitCommand } from "./tree/init.ts";
import type { MysqlCommand } from "./tree/mysql.ts";
import type { PerfCommand } from "./tree/perf.ts";
import type { RaftCommand } from "./tree/raft.ts";
import type { VersionCommand } from "./tree/version.ts";
import type { XenonCommand } from "./tree/xenon.ts";

/** `group` is the first word of the command line and says which runner the command goes to. */
export type Command =
  | AgentCommand
  | ClusterCommand
  | CompletionCommand
  | ConfigCommand
  | DemoCommand
  | JobsCommand
  | InitCommand
  | MysqlCommand
  | PerfCommand
  | RaftCommand
  | VersionCommand
  | XenonCommand;

/** What became of the words: a command, a text to show, or a mistake. */
export type Parsed =
  | { readonly kind: "command"; readonly command: Command }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "usageError"; readonly because: string };
