/** Strings that code puts together: `"child_" + "process"`, constants, `["ev", "al"].join("")`, character codes. Nothing is run. */
import { Buffer } from "node:buffer";
import { LIMITS } from "../base/limits.ts";
import type { Node } from "./syntax.ts";

/** What names stand for when the file binds them once. */
export type Constants = {
  /** `undefined`: bound more than once. */
  readonly bound: ReadonlyMap<string, Node | undefined>;
  /** Steps left for this file, so that constants of constants cannot multiply. */
  steps: number;
};

const DEPTH = 8;

export function fold(node: Node | null | undefined, constants: Constants, depth = 0): string | undefined {
  if (!node || depth > DEPTH || constants.steps-- <= 0) return undefined;
  switch (node.type) {
    case "Literal":
      return typeof node.value === "string" || typeof node.value === "number" ? short(String(node.value)) : undefined;
    case "TemplateLiteral":
      return join([...interleaved(node)], constants, depth);
    case "TemplateElement":
      return short((node.value as { cooked?: string | null }).cooked ?? undefined);
    case "BinaryExpression":
      return node.operator === "+" ? join(operands(node), constants, depth) : undefined;
    case "Identifier":
      return fold(constants.bound.get(node.name!), constants, depth + 1);
    case "CallExpression":
      return foldCall(node, constants, depth);
    default:
      return undefined;
  }
}

/** The operands of a chain of `+`, left to right; without recursion, because chains of thousands exist. */
export function operands(node: Node): Node[] {
  const found: Node[] = [];
  let at: Node = node;
  while (at.type === "BinaryExpression" && at.operator === "+") {
    found.push(at.right!);
    at = at.left!;
  }
  found.push(at);
  return found.toReversed();
}

function* interleaved({ quasis = [], expressions = [] }: Node): Generator<Node> {
  for (const [index, quasi] of quasis.entries()) {
    yield quasi;
    if (expressions[index]) yield expressions[index];
  }
}

function join(parts: readonly (Node | null)[], constants: Constants, depth: number, between = ""): string | undefined {
  let whole = "";
  for (const [index, part] of parts.entries()) {
    const text = fold(part, constants, depth + 1);
    if (text === undefined || whole.length + text.length > LIMITS.foldedChars) return undefined;
    whole += (index === 0 ? "" : between) + text;
  }
  return whole;
}

function foldCall(node: Node, constants: Constants, depth: number): string | undefined {
  const { callee, arguments: args = [] } = node;
  const first = (): string | undefined => fold(args[0], constants, depth + 1);
  if (callee?.type === "Identifier" && callee.name === "atob") return decoded(first(), "base64");
  if (callee?.type !== "MemberExpression" || callee.computed === true) return undefined;
  const { object, property } = callee;
  switch (property?.name) {
    case "join": {
      const list = strings(object, constants, depth + 1);
      return list && short(list.join(args.length === 0 ? "," : first()));
    }
    case "concat":
      return join([object ?? null, ...args], constants, depth);
    case "fromCharCode":
      return codes(args, constants, depth);
    case "toString": {
      const { callee: inner, arguments: from = [] } = object ?? {};
      const encoding = fold(from[1], constants, depth + 1);
      const isFrom = object?.type === "CallExpression" && inner?.property?.name === "from" && inner.object?.name === "Buffer";
      return isFrom && (encoding === "base64" || encoding === "hex") ? decoded(fold(from[0], constants, depth + 1), encoding) : undefined;
    }
    default:
      return undefined;
  }
}

/** A list of constant strings: an array, a string split, either of them reversed. */
function strings(node: Node | undefined, constants: Constants, depth: number): readonly string[] | undefined {
  if (!node || depth > DEPTH || constants.steps-- <= 0) return undefined;
  if (node.type === "ArrayExpression") {
    const parts = (node.elements ?? []).slice(0, 1_000).map((element) => fold(element, constants, depth + 1));
    return parts.includes(undefined) ? undefined : (parts as string[]);
  }
  if (node.type === "Identifier") return strings(constants.bound.get(node.name!), constants, depth + 1);
  const { callee, arguments: args = [] } = node;
  if (node.type !== "CallExpression" || callee?.type !== "MemberExpression") return undefined;
  if (callee.property?.name === "reverse") return strings(callee.object, constants, depth + 1)?.toReversed();
  if (callee.property?.name === "split")
    return fold(callee.object, constants, depth + 1)?.split(fold(args[0], constants, depth + 1) ?? "\0");
  return undefined;
}

function codes(args: readonly Node[], constants: Constants, depth: number): string | undefined {
  let whole = "";
  for (const arg of args.slice(0, 1_000)) {
    const code = Number(fold(arg, constants, depth + 1));
    if (!Number.isInteger(code)) return undefined;
    whole += String.fromCharCode(code);
  }
  return whole;
}

function decoded(text: string | undefined, encoding: "base64" | "hex"): string | undefined {
  return text === undefined ? undefined : Buffer.from(text, encoding).toString("latin1");
}

function short(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= LIMITS.foldedChars ? text : undefined;
}
