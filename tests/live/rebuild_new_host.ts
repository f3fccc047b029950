/**
 * A host with our program, a config and a server program, and no data at all. Its server is a service
 * of the machine, and its option file names a folder for each kind of log.
 */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import { LabNode } from "../../cmd/demo/lab_node.ts";
import { findFreePorts } from "../../mysql/sandbox.ts";
import { cacheFolder, findMysqld } from "./lab.ts";
import { patienceMs, type RebuildLab } from "./rebuild_lab.ts";
import { installServiceManager, type ServiceManager, serviceName } from "./service_manager.ts";

const root = new URL("../../", import.meta.url).pathname;

export class NewHost implements AsyncDisposable {
  readonly node: LabNode;
  readonly manager: ServiceManager;
  /** Of the redo, undo, binary and relay logs; outside the data folder. */
  readonly logFolders: readonly string[];

  private constructor(node: LabNode) {
    const { sandbox } = node;
    this.node = node;
    this.manager = installServiceManager(sandbox);
    this.logFolders = ["redo", "undo", "binary", "relay"].map((name) =>
      `${sandbox.folder}/${name}`
    );
    const [redo, undo, binary, relay] = this.logFolders;
    const lines = [
      `innodb_log_group_home_dir="${redo}"`,
      `innodb_undo_directory="${undo}"`,
      `log_bin="${binary}/binlog"`,
      `relay_log="${relay}/relay"`,
      // What the agent's own start would bring.
      "skip_replica_start=ON",
      "plugin_load_add=semisync_source.so",
      "plugin_load_add=semisync_replica.so",
    ];
    Deno.writeTextFileSync(sandbox.myCnfPath, `${lines.join("\n")}\n`, { append: true });
    Deno.removeSync(sandbox.dataFolder, { recursive: true });
  }

  static async open({ lab }: RebuildLab): Promise<NewHost> {
    const [agentPort = 0, mysqlPort = 0] = findFreePorts(2);
    const path = `PATH=${lab.folder}/mysql4:${Deno.env.get("PATH")}`;
    const node = new LabNode({
      number: 4,
      folder: lab.folder,
      agentPort,
      mysqlPort,
      mysqld: await findMysqld(),
      cacheFolder,
      timing: "guide",
      rootPassword: Deno.readTextFileSync(`${lab.folder}/root.password`).trim(),
      program: ["env", path, Deno.execPath(), "run", "--quiet", "-A", `${root}main.ts`],
      edit: (config) => config.replace("[mysql]\n", `[mysql]\nservice = "${serviceName}"\n`),
    });
    await node.createServer();
    const host = new NewHost(node);
    await node.startAgent();
    assert.ok(
      await poll(patienceMs, async () => await node.healthy() ? true : null),
      "its agent answers",
    );
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node.end();
  }
}
