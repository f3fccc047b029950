/**
 * The disk of a host: a file system of its own, so that it can lose what was not synced, fill up, or
 * turn read-only without the machine around it. It is ext4 in a file where the kernel has loop devices;
 * the file lies in memory if there is plenty of that. Elsewhere the disk is a tmpfs, which fills up all
 * the same and can do nothing else.
 */
import { freeBytes } from "../../mysql/data_folder.ts";
import { run, succeeded } from "../../mysql/process.ts";
import { disksFolder, imagesOf, memoryFolder, must, removeDisk, unmount } from "./hosts_sweep.ts";

const megabytes = 2_048;
/** Memory for five disks that are full, their servers, and what the kernel keeps of them. */
const plentyBytes = 16 * 2 ** 30;
const commandMs = 30_000;
const fullMs = 10_000;

export class HostDisk {
  /** Where it is mounted. */
  readonly folder: string;
  readonly kind: "ext4" | "memory";
  readonly #image: string;

  private constructor(folder: string, image: string, kind: "ext4" | "memory") {
    this.folder = folder;
    this.#image = image;
    this.kind = kind;
  }

  /** Makes and mounts a disk; `name` says whose it is. */
  static async open(name: string): Promise<HostDisk> {
    const folder = `${disksFolder}/${name}`;
    Deno.mkdirSync(folder, { mode: 0o700 });
    const image = await imageFor(folder);
    try {
      using file = Deno.openSync(image, { create: true, write: true, mode: 0o600 });
      file.truncateSync(megabytes * 1_048_576);
      await must(["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard", image]);
      const disk = new HostDisk(folder, image, "ext4");
      if (succeeded(await run(disk.#mounting(), { deadlineMs: commandMs }))) return disk;
      Deno.removeSync(image);
      const size = `size=${megabytes / 4}m`;
      await must(["mount", "-t", "tmpfs", "-o", size, "xenon", folder]);
      return new HostDisk(folder, image, "memory");
    } catch (error) {
      await removeDisk(folder).catch(() => {});
      throw error;
    }
  }

  /** What was written by now stays. */
  async sync(): Promise<void> {
    await must(["sync", "-f", this.folder]);
  }

  /** Everything that was not synced is gone, and nothing can be read or written any more. */
  async losePower(): Promise<void> {
    if (this.kind !== "ext4") return;
    // EXT4_IOC_SHUTDOWN without a last flush of the journal, see the kernel's fs/ext4/ioctl.c.
    const program = 'open my $f, "<", $ARGV[0] or die $!;' +
      'my $how = pack("L", 2); ioctl($f, 0x8004587D, $how) or die $!';
    await must(["perl", "-e", program, this.folder]);
  }

  /** Mounts it anew, as a booting host does. Nobody may use it at this time. */
  async mountAgain(): Promise<void> {
    if (this.kind !== "ext4") return;
    await unmount(this.folder);
    // 1: what was wrong is mended. It finds the error that was noted by `turnReadOnly`.
    const checked = await run(["e2fsck", "-p", this.#image], { deadlineMs: commandMs });
    if (checked.ended.how !== "exit" || checked.ended.code > 1) {
      throw new Error(`Cannot mend the disk ${this.folder}: ${checked.stdoutTail}`);
    }
    await must(this.#mounting());
  }

  /** An error of the device: the kernel lets nobody write to this file system any more. */
  async turnReadOnly(): Promise<void> {
    const device = (await must(["findmnt", "-n", "-o", "SOURCE", this.folder])).trim();
    const name = device.replace(/^.*\//, "");
    Deno.writeTextFileSync(`/sys/fs/ext4/${name}/trigger_fs_error`, "1");
  }

  /** Leaves no byte free. */
  async fill(): Promise<void> {
    const endsAt = performance.now() + fullMs;
    // What servers free meanwhile is taken as well.
    for (let part = 0; performance.now() < endsAt; part++) {
      const free = await this.#freeBytes();
      if (free === 0) return;
      const ballast = `${this.folder}/ballast${part}`;
      await run(["fallocate", "-l", String(free), ballast], { deadlineMs: commandMs });
      const rest = ["dd", "if=/dev/zero", `of=${ballast}-rest`, "bs=4096", "status=none"];
      await run(rest, { deadlineMs: commandMs });
    }
  }

  /** Gives the space back that `fill` took. */
  empty(): void {
    for (const { name } of [...Deno.readDirSync(this.folder)]) {
      if (name.startsWith("ballast")) Deno.removeSync(`${this.folder}/${name}`);
    }
  }

  async #freeBytes(): Promise<number> {
    return Number((await must(["df", "--output=avail", "-B1", this.folder])).split("\n")[1]);
  }

  #mounting(): readonly string[] {
    return ["mount", "-o", "loop,errors=remount-ro", this.#image, this.folder];
  }
}

/** In memory where there is plenty: real hosts do not share one disk, whose syncs would decide all. */
async function imageFor(folder: string): Promise<string> {
  const { inMemory, beside } = imagesOf(folder);
  // Not every machine has such a folder.
  const free = await freeBytes(memoryFolder).catch(() => 0);
  return Math.min(free, Deno.systemMemoryInfo().available) >= plentyBytes ? inMemory : beside;
}

/** Why disks of this machine cannot break; null when they can. */
export async function whyNoBreaking(): Promise<string | null> {
  for (const program of ["mkfs.ext4", "e2fsck", "perl", "findmnt"]) {
    const { ended } = await run([program, "-V"], { deadlineMs: commandMs });
    if (ended.how === "notStarted") return `${program} is not installed (e2fsprogs, perl-base)`;
  }
  const free = await run(["losetup", "-f"], { deadlineMs: commandMs });
  return succeeded(free) ? null : "this kernel gives no loop devices";
}
