import assert from "node:assert/strict";
import { displayWidth, renderTable, renderTsv } from "./table.ts";

function draw(...lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

Deno.test("renderTable() draws a rule around the header and after every row", () => {
  assert.equal(
    renderTable({ header: ["A", "B"], rows: [["x", "y"], ["z", "w"]] }),
    draw(
      "+---+---+",
      "| A | B |",
      "+---+---+",
      "| x | y |",
      "+---+---+",
      "| z | w |",
      "+---+---+",
      "(2 rows)",
    ),
  );
});

Deno.test("renderTable() centres a header with the smaller gap on the left", () => {
  assert.equal(renderTable({ header: ["ab"], rows: [["abcde"]] }).split("\n")[1], "|  ab   |");
});

Deno.test("renderTable() shows line ends and counts them into the width of the column", () => {
  assert.equal(
    renderTable({ header: ["Backup"], rows: [["state:[NONE]\nLastError:"]] }),
    draw(
      "+--------------------------+",
      "|          Backup          |",
      "+--------------------------+",
      "| state:[NONE]\u2424            |",
      "| LastError:               |",
      "+--------------------------+",
      "(1 rows)",
    ),
  );
});

Deno.test("renderTable() caps the width of a whole cell at 30 but never cuts one line", () => {
  const lines = `${"a".repeat(20)}\n${"b".repeat(20)}`;
  assert.equal(
    renderTable({ header: ["H"], rows: [[lines]] }).split("\n")[0],
    `+${"-".repeat(32)}+`,
  );
  const long = "c".repeat(44);
  const table = renderTable({ header: ["H"], rows: [[long]] });
  assert.equal(table.split("\n")[0], `+${"-".repeat(46)}+`);
  assert.equal(table.split("\n")[3], `| ${long} |`);
});

Deno.test("renderTable() puts numbers on the right and everything else on the left", () => {
  const numbers = ["7", "-7", "7.5", "--7", "7."];
  const words = ["7a", "1,000", "7.5.1", "7-"];
  const lines = renderTable({
    header: ["Header"],
    rows: [...numbers, ...words].map((cell) => [cell]),
  }).split("\n");
  for (const [index, cell] of numbers.entries()) {
    assert.equal(lines[3 + 2 * index], `| ${cell.padStart(6)} |`);
  }
  for (const [index, cell] of words.entries()) {
    assert.equal(lines[3 + 2 * (numbers.length + index)], `| ${cell.padEnd(6)} |`);
  }
});

Deno.test("renderTable() decides the side of a number line by line", () => {
  const lines = renderTable({ header: ["Header"], rows: [["12\nab"]] }).split("\n");
  assert.equal(lines[3], "| 12\u2424    |");
  assert.equal(lines[4], "| ab     |");
});

Deno.test("renderTable() fills short cells and missing cells with blanks", () => {
  const lines = renderTable({ header: ["A", "B", "C"], rows: [["1\n2", "x"]] }).split("\n");
  assert.equal(lines[3], "| 1\u2424   | x |   |");
  assert.equal(lines[4], "|    2 |   |   |");
});

Deno.test("renderTable() expands tabs to stops of four columns", () => {
  assert.equal(renderTable({ header: ["H"], rows: [["a\tb"]] }).split("\n")[3], "| a   b |");
  assert.equal(renderTable({ header: ["H"], rows: [["x\n\ty"]] }).split("\n")[4], "|     y    |");
});

Deno.test("renderTable() of no rows is a header between two rules", () => {
  assert.equal(
    renderTable({ header: ["A"], rows: [] }),
    draw("+---+", "| A |", "+---+", "(0 rows)"),
  );
});

Deno.test("displayWidth() counts East Asian characters twice", () => {
  assert.equal(displayWidth("ab"), 2);
  assert.equal(displayWidth("\u4e2d\u6587"), 4);
  assert.equal(
    renderTable({ header: ["H"], rows: [["\u4e2d"], ["abcd"]] }).split("\n")[3],
    "| \u4e2d   |",
  );
});

Deno.test("renderTsv() is one line a row whatever stands in a cell", () => {
  const rows = [["a\tb", "state:[NONE]\nLastError:"], ["c\\d", " x "]];
  assert.equal(
    renderTsv({ header: ["A", "B"], rows }),
    "A\tB\na\\tb\tstate:[NONE]\\nLastError:\nc\\\\d\tx\n",
  );
});
