import { normalPrivileges } from "../../mysql/accounts.ts";
import type { SecretSource } from "../ports.ts";
import type { UserChange } from "./mysql_users.ts";
import { expectCommands, expectRefusals, nothing } from "./expect_words.ts";

const common = { group: "mysql", common: nothing } as const;
const app = { user: "app", host: "%" } as const;
const normal = { kind: "some", privileges: normalPrivileges, database: "*", table: "*" } as const;
const prompt = { kind: "prompt" } as const;

Deno.test("the words of xenon mysql are understood", () => {
  const status = { ...common, kind: "status" } as const;
  expectCommands({
    "mysql status": { ...status, form: "exact" },
    "mysql status -o table": { ...status, form: "table" },
    "mysql start": { ...common, kind: "start" },
    "mysql kill": { ...common, kind: "kill" },
    "mysql startmonitor": { ...common, kind: "startmonitor" },
    "mysql stopmonitor": { ...common, kind: "stopmonitor" },
    "mysql shutdown": { ...common, kind: "shutdown", force: false },
    "mysql shutdown --force": { ...common, kind: "shutdown", force: true },
    "mysql sysvar SETGLOBALx=1": { ...common, kind: "sysvar", statement: "SETGLOBALx=1" },
    "mysql getuser": { ...common, kind: "getuser", form: "exact" },
    "mysql getuser -o table": { ...common, kind: "getuser", form: "table" },
    "mysql dropuser app %": {
      ...common,
      kind: "changeUser",
      change: { account: { kind: "drop", ...app } },
    },
  });
});

Deno.test("a password is a word, a file, standard input or asked for", () => {
  const create = { kind: "create", ...app, requireX509: false, grants: normal } as const;
  const change = (
    password: SecretSource,
    account: Extract<UserChange, { password: unknown }>["account"],
  ) => ({ ...common, kind: "changeUser", change: { account, password } }) as const;
  const made = (password: SecretSource) => change(password, create);
  expectCommands({
    "mysql createuser app % secret NO": made({ kind: "given", text: "secret" }),
    "mysql createuser app % - no": made({ kind: "stdin" }),
    "mysql createuser app % NO": made(prompt),
    "mysql createuser app % NO --password-file /f": made({ kind: "file", path: "/f" }),
    "mysql createuser app % yes": change(prompt, { ...create, requireX509: true }),
    "mysql createsuperuser app % NO": change(prompt, {
      ...create,
      grants: { kind: "everything" },
    }),
    "mysql changepassword app %": change(prompt, { kind: "password", ...app }),
    "mysql changepassword app % -": change({ kind: "stdin" }, { kind: "password", ...app }),
    "mysql changepassword app % new": change(
      { kind: "given", text: "new" },
      { kind: "password", ...app },
    ),
  });
});

Deno.test("createuserwithgrants has the original's options and defaults", () => {
  const account = (grants: object, more = {}) => ({
    ...common,
    kind: "changeUser",
    change: {
      account: { kind: "create", ...app, requireX509: false, grants, ...more },
      password: prompt,
    },
  } as Parameters<typeof expectCommands>[0][string]);
  const some = { kind: "some", privileges: ["SELECT", "INSERT"] } as const;
  const words = "mysql createuserwithgrants --user app --privs select,INSERT";
  expectCommands({
    [words]: account({ ...some, database: "*", table: "*" }),
    [`${words} --database shop --table t --ssl YES`]: account(
      { ...some, database: "shop", table: "t" },
      { requireX509: true },
    ),
    [`${words} --host 10.0.0.%`]: account(
      { ...some, database: "*", table: "*" },
      { host: "10.0.0.%" },
    ),
  });
});

Deno.test("wrong words are refused without showing what may be a password", () => {
  expectRefusals({
    "mysql createuser app": /missing required argument 'host'/,
    "mysql createuser app % secret": /^(?!.*secret).*The last word must be YES or NO/,
    "mysql createuser app % secret maybe": /^(?!.*secret).*The last word must be YES or NO/,
    "mysql createuser app % secret NO --password-file /f": /^(?!.*secret).*given twice/,
    "mysql createuserwithgrants --user x": /required option '--privs <list>' not specified/,
    "mysql createuserwithgrants --user x --privs SUPER": /Cannot grant "SUPER": the privileges are/,
    "mysql dropuser app": /missing required argument 'host'/,
    "mysql sysvar": /missing required argument 'statement'/,
    "mysql start now": /too many arguments/,
  });
});

Deno.test("rebuildme takes the donor, the method and two switches", () => {
  const rebuildme = {
    group: "mysql",
    kind: "rebuildme",
    from: null,
    method: "auto",
    force: false,
    dryRun: false,
    common: nothing,
  } as const;
  expectCommands({
    "mysql rebuildme": rebuildme,
    "mysql rebuildme --from=b:8801 --method clone --force --dry-run": {
      ...rebuildme,
      from: "b:8801",
      method: "clone",
      force: true,
      dryRun: true,
    },
  });
  expectRefusals({
    "mysql rebuildme --from b": /not host:port/,
    "mysql rebuildme --from b:1,c:1": /one node/,
    "mysql rebuildme --method tar": /auto, clone, xtrabackup/,
  });
});

Deno.test("the words of backups are understood", () => {
  const group = "mysql";
  const backup = { group, kind: "backup", from: null, method: "auto", common: nothing } as const;
  expectCommands({
    "mysql backup --to /b": { ...backup, to: "/b" },
    "mysql backup --to=b --from b:8801 --method xtrabackup": {
      ...backup,
      to: "b",
      from: "b:8801",
      method: "xtrabackup",
    },
    "mysql cancelbackup": { group, kind: "cancelbackup", common: nothing },
    "mysql restore --from /b": { group, kind: "restore", from: "/b", common: nothing },
  });
  expectRefusals({
    "mysql backup": /--to/,
    "mysql backup --to=": /folder/,
    "mysql restore": /--from/,
  });
});
