/** Whether a data folder still holds what every server has in it. */

/** The data dictionary: a file since 8.0, a folder before. */
const dictionaries = ["mysql.ibd", "mysql"];

/**
 * True when nothing of a server's dictionary is there: the files were deleted, or never made. Small
 * files do not count, as a start in an empty folder that fails leaves some.
 */
export async function holdsNoData(folder: string): Promise<boolean> {
  for (const name of dictionaries) {
    if (!await isAbsent(`${folder}/${name}`)) return false;
  }
  return true;
}

async function isAbsent(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return false;
  } catch (error) {
    // A file that may not be looked at may be there.
    return error instanceof Deno.errors.NotFound;
  }
}
