/** A service manager that knows one unit: a server of a test. The agent cannot tell it from systemctl. */
import type { Sandbox } from "../../mysql/sandbox.ts";

/** The only unit. */
export const serviceName = "mysql-lab";

export interface ServiceManager {
  /** The program `systemctl`, to be found first in the PATH. */
  readonly path: string;
  /** Its calls, one a line. */
  calls(): string;
}

/** Puts a `systemctl` beside the files of the server; it starts it as a unit would, and notes its calls. */
export function installServiceManager(
  { folder, mysqld, myCnfPath }: Pick<Sandbox, "folder" | "mysqld" | "myCnfPath">,
): ServiceManager {
  const path = `${folder}/systemctl`;
  const text = `#!/bin/sh
echo "$*" >>'${path}.calls'
for unit; do :; done
[ "$unit" = ${serviceName} ] || { echo "no such unit $unit" >&2; exit 5; }
main=$(cat '${folder}/main' 2>/dev/null || echo 0)
kill -0 "$main" 2>/dev/null || main=0
case $2 in
show)
  echo "MainPID=$main"
  if [ "$main" != 0 ]; then echo ActiveState=active; else echo ActiveState=failed; fi ;;
start)
  setsid '${mysqld}' --defaults-file='${myCnfPath}' --super-read-only=ON >/dev/null 2>&1 &
  echo $! >'${folder}/main'
  sleep 0.3 ;;
stop) kill -TERM "$main" ;;
esac
`;
  Deno.writeTextFileSync(path, text, { mode: 0o755 });
  return { path, calls: () => Deno.readTextFileSync(`${path}.calls`) };
}
