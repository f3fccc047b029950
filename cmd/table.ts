/**
 * The table layout operators know: a rule around the header and after every row, centred headers,
 * multi-line cells whose line ends are shown by a visible newline sign.
 */

/** Only the whole-cell figure and headers are capped; one longer line still widens its column. */
const wholeCellWidthMax = 30;
const tabWidth = 4;
/** U+2424, the visible newline sign. */
const newlineSign = "\u2424";
/** Minus signs, digits and at most one dot: such a line is a number and stands on the right. */
const numberLine = /^-*\d*\.?\d*$/;
/** Characters that a terminal draws two columns wide (East Asian wide and fullwidth). */
const wideCharacter =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Columns and cells, before anybody has decided how they look. */
export interface Table {
  readonly header: readonly string[];
  /** Each row as long as the header. */
  readonly rows: readonly (readonly string[])[];
}

/** Colours one line of a cell; the width is the same before and after. */
export type Tint = (line: string) => string;

interface Cell {
  readonly lines: readonly string[];
  readonly width: number;
}

/** Draws header and rows, and closes with `(n rows)`. */
export function renderTable({ header, rows }: Table, tint: Tint = (line) => line): string {
  const cells = rows.map((row) => header.map((_, column) => layOut(row[column] ?? "")));
  const widths = header.map((title, column) =>
    Math.max(
      Math.min(wholeCellWidthMax, displayWidth(title)),
      ...cells.map((row) => row[column]?.width ?? 0),
    )
  );
  const rule = `+${widths.map((width) => "-".repeat(width + 2)).join("+")}+`;
  const titles = header.map((title, column) => centre(title, widths[column] ?? 0));
  const lines = [rule, `|${titles.map((title) => ` ${title} `).join("|")}|`, rule];
  for (const row of cells) lines.push(...drawRow(row, { widths, tint }), rule);
  return `${lines.join("\n")}\n(${rows.length} rows)\n`;
}

/** One line for the header and one a row, cells between tabs; escapes as `mysql --batch` has them. */
export function renderTsv({ header, rows }: Table): string {
  return [header, ...rows].map((row) => `${row.map(escapeCell).join("\t")}\n`).join("");
}

function escapeCell(cell: string): string {
  const escapes: Readonly<Record<string, string>> = {
    "\\": "\\\\",
    "\t": "\\t",
    "\n": "\\n",
    "\r": "\\r",
  };
  return cell.trim().replace(/[\\\t\n\r]/g, (character) => escapes[character] ?? character);
}

/** How many columns of a terminal the text takes; a newline counts as one. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += wideCharacter.test(character) ? 2 : 1;
  return width;
}

function layOut(text: string): Cell {
  const signed = expandTabs(text).replaceAll("\n", `${newlineSign}\n`);
  const lines = signed.trim().split("\n");
  const whole = Math.min(wholeCellWidthMax, displayWidth(signed));
  return { lines, width: Math.max(whole, ...lines.map(displayWidth)) };
}

function expandTabs(text: string): string {
  return text.split("\n").map((line) => {
    let expanded = "";
    for (const character of line) {
      expanded += character === "\t"
        ? " ".repeat(tabWidth - expanded.length % tabWidth)
        : character;
    }
    return expanded;
  }).join("\n");
}

function centre(title: string, width: number): string {
  const gap = Math.max(0, width - displayWidth(title));
  const left = Math.floor(gap / 2);
  return " ".repeat(left) + title + " ".repeat(gap - left);
}

function drawRow(
  row: readonly Cell[],
  { widths, tint }: { readonly widths: readonly number[]; readonly tint: Tint },
): readonly string[] {
  const height = Math.max(...row.map((cell) => cell.lines.length));
  return Array.from({ length: height }, (_, index) => {
    const parts = row.map((cell, column) => {
      const line = cell.lines[index] ?? "";
      const blanks = " ".repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(line)));
      return numberLine.test(line) ? blanks + tint(line) : tint(line) + blanks;
    });
    return `|${parts.map((part) => ` ${part} `).join("|")}|`;
  });
}
