/** Reads a password where it leaves no trace: a file, standard input, or a prompt without echo. */
import { readSecretFile } from "../../agent/real/secrets.ts";
import { CommandError } from "../exit.ts";
import type { SecretSource } from "../ports.ts";
import { messageOf } from "../../mysql/message_of.ts";

/** Longer than any password that a server takes. */
const bytesMax = 4_096;
const endOfLine = 13;
const newLine = 10;
const interrupt = 3;
const endOfText = 4;
const backspaces: readonly number[] = [8, 127];

/** The password itself. `fileOption` is what the command calls the option for a file with it. */
export async function readSecret(source: SecretSource, fileOption: string): Promise<string> {
  switch (source.kind) {
    case "given":
      return source.text;
    case "file":
      return await fromFile(source.path, fileOption);
    case "stdin":
      return await firstLine();
    case "prompt":
      return await asked(fileOption);
  }
}

async function fromFile(path: string, fileOption: string): Promise<string> {
  try {
    return (await readSecretFile(path, fileOption)).reveal();
  } catch (error) {
    const message = messageOf(error);
    throw new CommandError(message, { next: "correct the file, or leave it out and be asked" });
  }
}

async function firstLine(): Promise<string> {
  const chunks: number[] = [];
  const buffer = new Uint8Array(bytesMax);
  while (chunks.length < bytesMax && !chunks.includes(newLine)) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) break;
    chunks.push(...buffer.subarray(0, count));
  }
  const end = chunks.indexOf(newLine);
  const bytes = end < 0 ? chunks : chunks.slice(0, end);
  return new TextDecoder().decode(new Uint8Array(bytes)).replace(/\r$/, "");
}

async function asked(fileOption: string): Promise<string> {
  if (!Deno.stdin.isTerminal()) {
    throw new CommandError("Cannot ask for the password as standard input is no terminal", {
      next: `give it by ${fileOption} FILE, or "-" to read it from standard input`,
    });
  }
  const first = await hidden("Password: ", fileOption);
  if (first === await hidden("The same again: ", fileOption)) return first;
  throw new CommandError("The two passwords are not the same", {
    next: `type the same twice, or give it by ${fileOption} FILE`,
  });
}

/** In raw mode the terminal shows nothing, and its keys arrive as they are. */
async function hidden(question: string, fileOption: string): Promise<string> {
  const bytes: number[] = [];
  const buffer = new Uint8Array(bytesMax);
  // Before the question, so that not even a quick answer is shown.
  Deno.stdin.setRaw(true);
  try {
    await Deno.stderr.write(new TextEncoder().encode(question));
    while (bytes.length < bytesMax) {
      const count = await Deno.stdin.read(buffer) ?? 0;
      if (count === 0) throw canceled(fileOption);
      for (const key of buffer.subarray(0, count)) {
        if (key === endOfLine || key === newLine) {
          return new TextDecoder().decode(Uint8Array.from(bytes));
        }
        if (key === interrupt || key === endOfText) throw canceled(fileOption);
        if (backspaces.includes(key)) dropCharacter(bytes);
        else bytes.push(key);
      }
    }
    throw new CommandError("The password is too long", {
      next: `choose one of less than ${bytesMax} bytes, and press Enter behind it`,
    });
  } finally {
    Deno.stdin.setRaw(false);
    await Deno.stderr.write(new TextEncoder().encode("\n"));
  }
}

/** A character of UTF-8 is its first byte and those behind it that begin with the bits 10. */
function dropCharacter(bytes: number[]): void {
  while (bytes.length > 0 && ((bytes.pop() ?? 0) & 0xc0) === 0x80);
}

function canceled(fileOption: string): CommandError {
  return new CommandError("Nothing was changed: no password was given", {
    next: `type it and press Enter, or give it by ${fileOption} FILE`,
  });
}
