/**
 * House rules that need a syntax tree: short functions, few parameters, no default exports, no
 * `any`, and no clock, dice, timer, disk or network in a pure file. `deno lint` shows them in the
 * editor; tests/tidy_test.ts runs them again so that no file can opt out.
 */
import { isPure } from "./tidy_lists.ts";

const functionLinesMax = 70;
const parametersMax = 3;

/** Global objects that a pure file may not name at all. */
const worldObjects = new Set(["Deno", "crypto", "performance", "console", "process"]);
/** Global functions that a pure file may not call. */
const worldCalls = new Set(["fetch", "setTimeout", "setInterval", "queueMicrotask"]);
/** Members that make a harmless global impure. */
const worldMembers = new Set(["Date.now", "Math.random", "AbortSignal.timeout"]);

type FunctionNode =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

const plugin: Deno.lint.Plugin = {
  name: "xenon",
  rules: {
    "function-size": { create: functionSize },
    "no-default-export": { create: noDefaultExport },
    "no-any": { create: noAny },
    "pure": { create: pure },
  },
};

// Deno loads a plugin by its default export, there is no other way to name one.
// deno-lint-ignore xenon/no-default-export
export default plugin;

function functionSize(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  function check(node: FunctionNode): void {
    const lines = context.sourceCode.getText(node).split("\n").length;
    if (lines > functionLinesMax) {
      context.report({ node, message: `Function has ${lines} lines, the most is 70` });
    }
    if (node.params.length > parametersMax) {
      context.report({
        node,
        message: `Function has ${node.params.length} parameters, use one options record`,
      });
    }
  }
  return {
    FunctionDeclaration: check,
    FunctionExpression: check,
    ArrowFunctionExpression: check,
  };
}

function noDefaultExport(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return {
    ExportDefaultDeclaration(node) {
      context.report({ node, message: "Default export, use a named one" });
    },
  };
}

function noAny(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return {
    TSAnyKeyword(node) {
      context.report({ node, message: "Type any, use unknown and decode it" });
    },
  };
}

function pure(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const root = new URL("../", import.meta.url).pathname;
  const path = context.filename.replace(root, "");
  if (!isPure(path)) return {};
  // A test registers itself with Deno.test, which needs no permission and touches nothing.
  const isTest = path.endsWith("_test.ts");
  return {
    MemberExpression(node) {
      if (node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
      const name = `${node.object.name}.${node.property.name}`;
      if (isTest && name === "Deno.test") return;
      if (worldObjects.has(node.object.name) || worldMembers.has(name)) {
        context.report({ node, message: `Pure file says ${name}, take it through a port` });
      }
    },
    CallExpression(node) {
      if (node.callee.type === "Identifier" && worldCalls.has(node.callee.name)) {
        context.report({ node, message: `Pure file calls ${node.callee.name}` });
      }
    },
    NewExpression(node) {
      const noDate = node.callee.type === "Identifier" && node.callee.name === "Date" &&
        node.arguments.length === 0;
      if (noDate) context.report({ node, message: "Pure file reads the clock by new Date()" });
    },
  };
}
