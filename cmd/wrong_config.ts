/** The failure of every command that needs a config and finds one with mistakes. */
import { CommandError } from "./exit.ts";

/** Says how many problems there are; `details` are lines of their own, for who has not printed them. */
export function wrongConfig(
  path: string,
  problems: number,
  details: readonly string[] = [],
): CommandError {
  const count = problems === 1 ? "one problem" : `${problems} problems`;
  return new CommandError(`Cannot use the config "${path}" as it has ${count}`, {
    next: "correct it, every setting stands in config.example.toml",
    details,
  });
}
