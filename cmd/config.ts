/** Runs `xenon config ...`. */
import { describeRemark, readConfigText, type Remark } from "../agent/config.ts";
import { effectiveSettings } from "../agent/config_effective.ts";
import { convertConfig } from "./config_convert.ts";
import { CommandError, type Outcome, success } from "./exit.ts";
import { type Facts, printFacts } from "./facts.ts";
import { parseLenientJson } from "./lenient_json.ts";
import { findConfig } from "./lookup.ts";
import type { FoundConfig, Programs, Surroundings, World } from "./ports.ts";
import type { ConfigCommand } from "./tree/config.ts";
import { withFailure } from "./wait.ts";
import { wrongConfig } from "./wrong_config.ts";

/** The runner of the group. */
export async function runConfig(command: ConfigCommand, around: Surroundings): Promise<Outcome> {
  const { world, programs } = around;
  if (command.kind === "convert") return await convert(command, around);
  const found = await findConfig(world, command.common.config);
  const look = { form: command.form, colour: world.colour };
  if (command.kind === "show") return printFacts(showConfig(found), look);
  const { facts, failed } = await checkConfig(found, programs);
  return withFailure(printFacts(facts, look), failed);
}

function showConfig(found: FoundConfig): Facts {
  const read = readConfigText(found.text);
  if (read.kind === "wrong") throw wrongConfig(found.path, read.problems.length);
  const settings = effectiveSettings(read);
  const sections = new Set(settings.map(({ section }) => section));
  const value = Object.fromEntries([...sections].map((name) => [
    name,
    Object.fromEntries(
      settings.filter(({ section }) => section === name)
        .map(({ key, value, origin }) => [key, { value, origin }]),
    ),
  ]));
  return {
    table: {
      header: ["Setting", "Value", "Origin"],
      rows: settings.map((one) => [
        `${one.section}.${one.key}`,
        one.value === null ? "" : String(one.value),
        one.origin,
      ]),
    },
    value: { path: found.path, settings: value },
  };
}

interface Finding extends Remark {
  readonly severity: "problem" | "warning";
}

async function checkConfig(found: FoundConfig, programs: Programs) {
  const { path, text } = found;
  const read = readConfigText(text);
  const remarks = (severity: Finding["severity"], list: readonly Remark[]) =>
    list.map((remark): Finding => ({ severity, ...remark }));
  const files = read.kind === "config"
    ? await programs.checkFiles(found)
    : { problems: [], warnings: [] };
  const aboutFile = (sentence: string): Remark => ({ line: 0, column: 0, key: "", sentence });
  const findings = [
    ...remarks("problem", read.kind === "wrong" ? read.problems : []),
    ...remarks("problem", files.problems.map(aboutFile)),
    ...remarks("warning", read.kind === "config" ? read.warnings : []),
    ...remarks("warning", files.warnings.map(aboutFile)),
  ];
  const problems = findings.filter(({ severity }) => severity === "problem").length;
  const lines = findings.map((one) => `${one.severity}: ${describeRemark(path, one)}\n`);
  const good = problems > 0 ? "" : `${path} is good${warned(findings.length)}\n`;
  const facts: Facts = {
    text: lines.join("") + good,
    table: {
      header: ["Severity", "Line", "Column", "Key", "Sentence"],
      rows: findings.map((
        { severity, line, column, key, sentence },
      ) => [severity, String(line), String(column), key, sentence]),
    },
    value: { path, good: problems === 0, findings },
  };
  return { facts, failed: problems === 0 ? null : wrongConfig(path, problems) };
}

function warned(warnings: number): string {
  return warnings === 0 ? "" : `, with ${warnings === 1 ? "a warning" : `${warnings} warnings`}`;
}

async function convert(
  { from, to, force }: ConfigCommand & { readonly kind: "convert" },
  { world, programs }: Surroundings,
): Promise<Outcome> {
  const json = parseLenientJson(await readJson(world, from));
  if (json.kind === "wrong") {
    const place = `line ${json.line}, column ${json.column}`;
    throw new CommandError(`Cannot read "${from}" as JSON, see ${place}`, {
      next: "correct it there, or write a configuration from scratch with xenon init",
    });
  }
  const { toml, notes, problems } = convertConfig(json.value, { withSecrets: to !== undefined });
  if (to !== undefined && toml !== "") await programs.writePrivate(to, toml, { replace: force });
  const told = [...notes, ...problems].map((note) => `xenon: ${note}\n`).join("");
  const outcome = { ...success(to === undefined ? toml : `Wrote ${to}\n`), stderr: told };
  if (problems.length === 0) return outcome;
  const count = problems.length === 1 ? "one thing" : `${problems.length} things`;
  const message = `Cannot convert all of "${from}": ${count} would keep an agent from starting`;
  return withFailure(outcome, new CommandError(message, { next: "correct what is named above" }));
}

async function readJson(world: World, path: string): Promise<string> {
  const text = await world.readText(path).catch((cause: unknown) => {
    throw new CommandError(`Cannot read "${path}"`, { next: "run as a user who may", cause });
  });
  if (text !== undefined) return text;
  throw new CommandError(`Cannot read "${path}", which does not exist`, {
    next: "name the original's configuration, usually xenon.json",
  });
}
