import assert from "node:assert/strict";
import { displayWidth, renderTable } from "./table.ts";

function draw(...lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

Deno.test("renderTable() draws a rule around the header and after every row", () => {
  assert.equal(
    renderTable(["A", "B"], [["x", "y"], ["z", "w"]]),
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
  assert.equal(renderTable(["ab"], [["abcde"]]).split("\n")[1], "|  ab   |");
});

Deno.test("renderTable() shows line ends and counts them into the width of the column", () => {
  assert.equal(
    renderTable(["Backup"], [["state:[NONE]\nLastError:"]]),
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
  assert.equal(renderTable(["H"], [[lines]]).split("\n")[0], `+${"-".repeat(32)}+`);
  const long = "c".repeat(44);
  const table = renderTable(["H"], [[long]]);
  assert.equal(table.split("\n")[0], `+${"-".repeat(46)}+`);
  assert.equal(table.split("\n")[3], `| ${long} |`);
});

Deno.test("renderTable() puts numbers on the right and everything else on the left", () => {
  const numbers = ["7", "-7", "7.5", "--7", "7."];
  const words = ["7a", "1,000", "7.5.1", "7-"];
  const lines = renderTable(["Header"], [...numbers, ...words].map((cell) => [cell])).split("\n");
  for (const [index, cell] of numbers.entries()) {
    assert.equal(lines[3 + 2 * index], `| ${cell.padStart(6)} |`);
  }
  for (const [index, cell] of words.entries()) {
    assert.equal(lines[3 + 2 * (numbers.length + index)], `| ${cell.padEnd(6)} |`);
  }
});

Deno.test("renderTable() decides the side of a number line by line", () => {
  const lines = renderTable(["Header"], [["12\nab"]]).split("\n");
  assert.equal(lines[3], "| 12\u2424    |");
  assert.equal(lines[4], "| ab     |");
});

Deno.test("renderTable() fills short cells and missing cells with blanks", () => {
  const lines = renderTable(["A", "B", "C"], [["1\n2", "x"]]).split("\n");
  assert.equal(lines[3], "| 1\u2424   | x |   |");
  assert.equal(lines[4], "|    2 |   |   |");
});

Deno.test("renderTable() expands tabs to stops of four columns", () => {
  assert.equal(renderTable(["H"], [["a\tb"]]).split("\n")[3], "| a   b |");
  assert.equal(renderTable(["H"], [["x\n\ty"]]).split("\n")[4], "|     y    |");
});

Deno.test("renderTable() of no rows is a header between two rules", () => {
  assert.equal(renderTable(["A"], []), draw("+---+", "| A |", "+---+", "(0 rows)"));
});

Deno.test("displayWidth() counts East Asian characters twice", () => {
  assert.equal(displayWidth("ab"), 2);
  assert.equal(displayWidth("\u4e2d\u6587"), 4);
  assert.equal(renderTable(["H"], [["\u4e2d"], ["abcd"]]).split("\n")[3], "| \u4e2d   |");
});
