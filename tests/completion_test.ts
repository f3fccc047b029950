// deno-lint-ignore-file no-control-regex
/** Completion as people meet it: real shells at a terminal, a TAB, and agents that answer. */
import assert from "node:assert/strict";
import { completionScripts, type Shell } from "../cmd/completion_scripts.ts";
import { type Agents, main, withAgents } from "./fake_agents.ts";
import { pause } from "../mysql/time_left.ts";

/** A start from source on a busy machine for each TAB. */
const tabMsMax = 60_000;
const pollMs = 20;

/** How each shell is started without anybody's own settings, and loads the script. */
const starts: Readonly<Record<Shell, string>> = {
  bash: "bash --norc --noprofile -i",
  zsh: "zsh -f -i",
  fish: "fish --no-config -i",
};
const loads: Readonly<Record<Shell, string>> = {
  bash: "source ./script",
  zsh: "autoload -Uz compinit; compinit -u -D; source ./script",
  fish: "source ./script",
};

for (const shell of ["bash", "zsh"] as const) {
  testIn(
    shell,
    `${shell} completes words, forms and live nodes at a TAB`,
    async (terminal, agents) => {
      await terminal.type("xenon cluster gti\t", "xenon cluster gtid ");
      await terminal.type("-o ya\t", "-o yaml ");
      await terminal.clear();
      const [first = "", second = "", leader = ""] = agents.members;
      const list = `${first},${second},${leader.slice(0, -1)}`;
      await terminal.type(`xenon cluster remove --timeout 20 ${list}\t`, leader);
      await terminal.clear();
      await terminal.type("xenon config convert ./scr\t", "./script");
    },
  );

  testIn(
    shell,
    `${shell} runs nothing of what was typed before a TAB`,
    async (terminal, agents) => {
      await terminal.type("xenon '$(touch PWNED1)' cluster $(touch PWNED2) rem\t", "PWNED2) rem");
      await terminal.clear();
      await terminal.type("xenon `touch PWNED3` clus\t", "clus");
      await terminal.clear();
      await terminal.type("xenon cluster gti\t", "xenon cluster gtid ");
      assert.deepEqual(namesIn(agents.folder, "PWNED"), []);
    },
  );
}

// Fish tells by itself what a TAB would offer.
Deno.test({
  name: titled("fish", "fish completes words, forms, files and live nodes, and runs nothing"),
  ignore: !isThere("fish"),
  fn: () =>
    withAgents(async (agents) => {
      const folder = await prepare("fish", agents);
      const [first = "", second = "", leader = ""] = agents.members;
      const offered = (line: string) => fishOffers(folder, line);
      assert.match(await offered("xenon cluster gti"), /^gtid\tEvery node with its GTID sets/);
      assert.equal(await offered("xenon cluster status -o ya"), "yaml\n");
      // Fish puts them into an order of its own.
      const nodes = (await offered("xenon --timeout 20 cluster remove ")).trim().split("\n").sort();
      assert.deepEqual(nodes, [first, second, `${leader}\tleader`].sort());
      assert.match(await offered("xenon --config ./scr"), /^\.\/script/);
      await offered("xenon '$(touch PWNED1)' cluster (touch PWNED2) rem");
      assert.deepEqual(namesIn(agents.folder, "PWNED"), []);
    }),
});

async function fishOffers(folder: string, line: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("fish", {
    args: ["--no-config", "-c", "source ./script; complete -C $argv[1]", line],
    ...surroundings(folder),
    signal: AbortSignal.timeout(tabMsMax),
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}

interface Terminal {
  /** Types, and waits until the shell shows this. */
  type(keys: string, shown: string): Promise<void>;
  /** Empties the line. */
  clear(): Promise<void>;
}

function testIn(
  shell: "bash" | "zsh",
  name: string,
  test: (terminal: Terminal, agents: Agents) => Promise<void>,
): void {
  Deno.test({
    name: titled(shell, name),
    ignore: !isThere(shell) || !isThere("script"),
    fn: () =>
      withAgents(async (agents) => {
        const folder = await prepare(shell, agents);
        const child = new Deno.Command("script", {
          args: ["-qfec", starts[shell], "/dev/null"],
          ...surroundings(folder),
          stdin: "piped",
          stdout: "piped",
          stderr: "null",
        }).spawn();
        const end = setTimeout(() => child.kill("SIGKILL"), 4 * tabMsMax);
        try {
          await test(await openTerminal(child, loads[shell]), agents);
        } finally {
          clearTimeout(end);
          child.kill("SIGKILL");
          await child.status;
          await child.stdin.close().catch(() => "Nobody reads it any more");
          await child.stdout.cancel().catch(() => "It is read by the terminal until its end");
        }
      }),
  });
}

/** A terminal in which the script is loaded and the shell waits for keys. */
async function openTerminal(child: Deno.ChildProcess, load: string): Promise<Terminal> {
  const decoder = new TextDecoder();
  let screen = "";
  let looked = 0;
  (async () => {
    for await (const bytes of child.stdout) screen += decoder.decode(bytes, { stream: true });
  })().catch(() => "The shell is gone");
  async function press(keys: string): Promise<void> {
    const keyboard = child.stdin.getWriter();
    await keyboard.write(new TextEncoder().encode(keys));
    keyboard.releaseLock();
  }
  async function shows(text: string): Promise<void> {
    const endsAt = performance.now() + tabMsMax;
    while (!visible(screen.slice(looked)).includes(text)) {
      if (performance.now() > endsAt) {
        assert.fail(`Never saw ${JSON.stringify(text)} in ${JSON.stringify(screen.slice(looked))}`);
      }
      await pause(pollMs);
    }
  }
  // The two halves meet only in what the command prints, not in its echo.
  await press(`${load}; echo lo''aded\n`);
  await shows("loaded");
  return {
    async type(keys, shown) {
      looked = screen.length;
      await press(keys);
      await shows(shown);
    },
    async clear() {
      // Ctrl-U: the shell reads it when it is done with the TAB before.
      await press("\u0015");
    },
  };
}

/** What a person reads: without escape sequences, and a line that was wrapped is one line again. */
function visible(text: string): string {
  return text.replace(/\u001b\[[0-9;?]*[A-Za-z]|\u001b[=>]|\u001b\][^\u0007]*\u0007/g, "")
    .replace(/ \r(?!\n)|[\r\u0007]/g, "");
}

/** A folder with the script of the shell and a program `xenon` that starts from source. */
async function prepare(shell: Shell, { folder, config }: Agents): Promise<string> {
  await Deno.writeTextFile(`${folder}/script`, completionScripts[shell]);
  const program = `#!/bin/sh\nexec "${Deno.execPath()}" run -A --quiet "${main}" "$@"\n`;
  await Deno.writeTextFile(`${folder}/xenon`, program, { mode: 0o755 });
  await Deno.writeTextFile(`${folder}/config.path`, config);
  return folder;
}

function surroundings(folder: string) {
  const path = `${folder}:${Deno.env.get("PATH") ?? ""}`;
  const env = { PATH: path, HOME: folder, TERM: "dumb", NO_COLOR: "1", COLUMNS: "200" };
  return { cwd: folder, env } as const;
}

function namesIn(folder: string, start: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    name.startsWith(start)
  );
}

function titled(shell: string, name: string): string {
  return isThere(shell) ? name : `${name} (ignored: ${shell} is not installed)`;
}

function isThere(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}
