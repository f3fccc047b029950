/** The words of the account commands of `xenon mysql`. */
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { CommonOptions, FactsForm } from "../options.ts";
import type { AccountWish, Grants } from "../../mysql/accounts.ts";
import { normalPrivileges, parsePrivileges } from "../../mysql/accounts.ts";
import { messageOf } from "../../mysql/message_of.ts";
import type { SecretSource } from "../ports.ts";
import { commonOf, examples, type Found, outputOption, type Tree } from "./words.ts";

type Create = Omit<AccountWish & { readonly kind: "create" }, "password">;
type Password = Omit<AccountWish & { readonly kind: "password" }, "password">;

/** What to change, without the password, which is read only when the command runs. */
export type UserChange =
  | { readonly account: Create | Password; readonly password: SecretSource }
  | { readonly account: AccountWish & { readonly kind: "drop" } };

export type UserCommand =
  & { readonly group: "mysql"; readonly common: CommonOptions }
  & (
    | { readonly kind: "changeUser"; readonly change: UserChange }
    | { readonly kind: "getuser"; readonly form: FactsForm }
  );

const everywhere = { database: "*", table: "*" } as const;
const normal: Grants = { kind: "some", privileges: normalPrivileges, ...everywhere };
const everything: Grants = { kind: "everything" };

/** Adds the account commands to the group `mysql`. */
export function addUserWords(group: Tree, found: Found<UserCommand>): void {
  addCreate(group, found, {
    name: "createuser",
    description: "Make an account with the usual privileges on everything, at the leader",
    grants: normal,
  });
  addCreate(group, found, {
    name: "createsuperuser",
    description: "Make an account that may do everything, at the leader",
    grants: everything,
  });
  addCreateWithGrants(group, found);
  group.command("changepassword")
    .description("Give an account a new password, at the leader")
    .argument("<user>", "Name of the account")
    .argument("<host>", 'Its host or pattern of hosts, such as "%"')
    .argument(
      "[password]",
      'Its new password; "-" reads it from standard input; asked for if absent',
    )
    .addOption(passwordFileOption())
    .addHelpText("after", examples("xenon mysql changepassword app %"))
    .action((...[user, host, word, { passwordFile }, self]) => {
      const account = { kind: "password", user, host } as const;
      const password = sourceOf(word, passwordFile);
      found({ ...start(self), kind: "changeUser", change: { account, password } });
    });
  group.command("dropuser")
    .description("Remove an account, at the leader")
    .argument("<user>", "Name of the account")
    .argument("<host>", 'Its host or pattern of hosts, such as "%"')
    .addHelpText("after", examples("xenon mysql dropuser app %"))
    .action((...[user, host, , self]) => {
      const account = { kind: "drop", user, host } as const;
      found({ ...start(self), kind: "changeUser", change: { account } });
    });
  group.command("getuser")
    .description("All accounts, as JSON")
    .addOption(outputOption())
    .addHelpText("after", examples("xenon mysql getuser", "xenon mysql getuser -o table"))
    .action(({ output }, self) =>
      found({ ...start(self), kind: "getuser", form: output ?? "exact" })
    );
}

interface CreateWords {
  readonly name: string;
  readonly description: string;
  readonly grants: Grants;
}

function addCreate(group: Tree, found: Found<UserCommand>, words: CreateWords): void {
  const { name, description, grants } = words;
  group.command(name)
    .description(description)
    .argument("<user>", "Name of the account")
    .argument("<host>", 'Host or pattern of hosts that it comes from, such as "%"')
    .argument("[password]", 'Its password; "-" reads it from standard input; asked for if absent')
    .argument("[ssl]", "YES demands a client certificate (X509), NO does not")
    .addOption(passwordFileOption())
    .addHelpText(
      "after",
      examples(
        `xenon mysql ${name} app % NO`,
        `xenon mysql ${name} app % NO --password-file /root/app.password`,
        `xenon mysql ${name} app 10.0.0.% - YES`,
      ),
    )
    .action((...[user, host, third, fourth, { passwordFile }, self]) => {
      // The password may be left out, so the last of three words is YES or NO.
      const [word, ssl] = fourth === undefined ? [undefined, third] : [third, fourth];
      const requireX509 = yesOrNo(ssl);
      const password = sourceOf(word, passwordFile);
      const account = { kind: "create", user, host, requireX509, grants } as const;
      found({ ...start(self), kind: "changeUser", change: { account, password } });
    });
}

function addCreateWithGrants(group: Tree, found: Found<UserCommand>): void {
  group.command("createuserwithgrants")
    .description("Make an account with chosen privileges, at the leader")
    .requiredOption("--user <name>", "Name of the account")
    .option("--passwd <password>", 'Its password; "-" reads it from standard input')
    .addOption(passwordFileOption())
    .option("--database <name>", "Database, or MySQL's pattern of names", "*")
    .option("--table <name>", "Table", "*")
    .option("--host <host>", "Host or pattern of hosts that it comes from", "%")
    .requiredOption("--privs <list>", 'Privileges such as "SELECT,INSERT"', privileges)
    .option("--ssl <word>", "YES demands a client certificate (X509), NO does not", "NO")
    .addHelpText(
      "after",
      examples(
        'xenon mysql createuserwithgrants --user app --database shop --privs "SELECT,INSERT"',
      ),
    )
    .action((options, self) => {
      const { user, passwd, passwordFile, database, table, host, privs, ssl } = options;
      const grants = {
        kind: "some",
        privileges: privs,
        database: database || "*",
        table: table || "*",
      } as const;
      const requireX509 = yesOrNo(ssl);
      const account = { kind: "create", user, host: host || "%", requireX509, grants } as const;
      const password = sourceOf(passwd, passwordFile);
      found({ ...start(self), kind: "changeUser", change: { account, password } });
    });
}

function start(self: Tree) {
  return { group: "mysql", common: commonOf(self) } as const;
}

function passwordFileOption() {
  return new Option("--password-file <path>", "Read the password from the first line of this file");
}

function privileges(text: string): readonly string[] {
  try {
    return parsePrivileges(text);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

/** What stands there instead is not shown: it may be a password in the wrong place. */
function yesOrNo(word: string | undefined): boolean {
  if (/^yes$/i.test(word ?? "")) return true;
  if (/^no$/i.test(word ?? "")) return false;
  throw new InvalidArgumentError(
    "The last word must be YES or NO: is a client certificate needed?",
  );
}

function sourceOf(word: string | undefined, passwordFile: string | undefined): SecretSource {
  if (word !== undefined && passwordFile !== undefined) {
    throw new InvalidArgumentError(
      "The password is given twice: as a word and by --password-file.",
    );
  }
  if (passwordFile !== undefined) return { kind: "file", path: passwordFile };
  if (word === undefined) return { kind: "prompt" };
  return word === "-" ? { kind: "stdin" } : { kind: "given", text: word };
}
