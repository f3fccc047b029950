/** A password that is asked for on a real terminal: typed, corrected, and never shown. */
import assert from "node:assert/strict";

const root = new URL("../", import.meta.url).pathname;
const patienceMs = 30_000;

/** The program under test, as the only one that reads the terminal. */
const reader = `
import { readSecret } from "${root}cmd/real/secret_input.ts";
const said = await readSecret({ kind: "prompt" }, "--password-file")
  .then((secret) => secret, (error) => error + "; next: " + error.next);
await Deno.writeTextFile(Deno.args[0], JSON.stringify(said));
`;

Deno.test("a password is asked for twice without an echo, backspace takes a whole character", async () => {
  const { said, screen } = await atTerminal(["gehei\u00fc\x7fm\r", "geheim\r"]);
  assert.equal(said, "geheim");
  assert.equal(screen, "Password: \r\nThe same again: \r\n");
});

Deno.test("two different answers, or Ctrl-C, give no password", async () => {
  assert.match(
    (await atTerminal(["one\r", "two\r"])).said,
    /not the same; next: .* --password-file/,
  );
  assert.match((await atTerminal(["half\x03"])).said, /no password was given; next: type it/);
});

/** Answers each question as soon as it stands on the screen of a pseudo terminal. */
async function atTerminal(answers: readonly string[]) {
  const folder = await Deno.makeTempDir({ prefix: "xenon-prompt-" });
  try {
    await Deno.writeTextFile(`${folder}/reader.ts`, reader);
    const program = `${Deno.execPath()} run --quiet -A ${folder}/reader.ts ${folder}/said`;
    const child = new Deno.Command("script", {
      args: ["--quiet", "--return", "--echo", "never", "--command", program, "/dev/null"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    const screen = await converse(child, answers);
    await child.status;
    clearTimeout(timer);
    return { said: JSON.parse(await Deno.readTextFile(`${folder}/said`)) as string, screen };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function converse(child: Deno.ChildProcess, answers: readonly string[]): Promise<string> {
  const writer = child.stdin.getWriter();
  const decoder = new TextDecoder();
  let screen = "";
  let answered = 0;
  for await (const bytes of child.stdout) {
    screen += decoder.decode(bytes, { stream: true });
    const asked = screen.match(/: /g)?.length ?? 0;
    while (answered < Math.min(asked, answers.length)) {
      await writer.write(new TextEncoder().encode(answers[answered++]));
    }
  }
  await writer.close().catch(() => "The program ended first.");
  return screen;
}
