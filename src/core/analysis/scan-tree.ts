/**
 * One walk over a syntax tree, without recursion. Names are resolved by what the file binds them to when it binds them once; that is not
 * scope analysis, and is meant to see what ordinary hiding hides, not to prove what a program does.
 */
import { LIMITS } from "../base/limits.ts";
import { countAddress, type Sights, see, seeImport } from "./findings.ts";
import { type Constants, fold, operands } from "./fold.ts";
import { HIDDEN, HOST, matching, MODULES, STRINGS } from "./patterns.ts";
import type { Node } from "./syntax.ts";

type Scan = {
  readonly sights: Sights;
  readonly bound: Map<string, Node | undefined>;
  /** Local name → module it stands for. */
  readonly modules: Map<string, string>;
  /** Nodes to visit. */
  readonly stack: Node[];
  /** Looked at when every binding is known. */
  readonly later: Node[];
  /** What methods called `connect` were given, looked at when every import is known. */
  readonly connects: (readonly Node[])[];
};

/** False when the tree has more than `LIMITS.nodesPerFile` nodes and was not walked to its end. */
export function scanTree(root: Node, sights: Sights): boolean {
  const stack: Node[] = [root];
  const scan: Scan = { sights, bound: new Map(), modules: new Map(), stack, later: [], connects: [] };
  let steps = 0;
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (++steps > LIMITS.nodesPerFile) return false;
    if (!visit(node, scan)) continue;
    const fields = FIELDS.get(node.type);
    if (fields) pushNamed(node, fields, stack);
    else pushAll(node, stack);
  }
  const constants: Constants = { bound: scan.bound, steps: LIMITS.foldSteps };
  for (const node of scan.later) resolve(node, scan, constants);
  // Whatever has this method in a file that uses sockets is taken for one.
  const socket = SOCKETS.find((module) => sights.imports.has(module));
  for (const args of scan.connects) namedHosts(socket, args, scan, constants);
  return true;
}

/**
 * Where the most frequent types keep their nodes, in the order the parser sets them. Only for speed: a type that is not here is searched for
 * nodes field by field, which takes twice the time; a type that is here must be here whole. Names of functions need no visit.
 */
const FIELDS: ReadonlyMap<string, readonly (keyof Node)[]> = new Map<string, readonly (keyof Node)[]>([
  ["ArrayExpression", ["elements"]],
  ["ArrowFunctionExpression", ["params", "body"]],
  ["AssignmentExpression", ["left", "right"]],
  ["BinaryExpression", ["left", "right"]],
  ["BlockStatement", ["body"]],
  ["CallExpression", ["callee", "arguments"]],
  ["ConditionalExpression", ["test", "consequent", "alternate"]],
  ["ExpressionStatement", ["expression"]],
  ["FunctionDeclaration", ["params", "body"]],
  ["FunctionExpression", ["params", "body"]],
  ["IfStatement", ["test", "consequent", "alternate"]],
  ["LogicalExpression", ["left", "right"]],
  ["MemberExpression", ["object", "property"]],
  ["NewExpression", ["callee", "arguments"]],
  ["ObjectExpression", ["properties"]],
  ["Property", ["key", "value"]],
  ["ReturnStatement", ["argument"]],
  ["SequenceExpression", ["expressions"]],
  ["TemplateLiteral", ["expressions", "quasis"]],
  ["ThisExpression", []],
  ["UnaryExpression", ["argument"]],
  ["UpdateExpression", ["argument"]],
  ["VariableDeclaration", ["declarations"]],
  ["VariableDeclarator", ["id", "init"]],
]);

function pushNamed(node: Node, fields: readonly (keyof Node)[], stack: Node[]): void {
  for (const field of fields) {
    const child = node[field] as Node | readonly (Node | null)[] | null | undefined;
    if (!child) continue;
    if (!Array.isArray(child)) stack.push(child as Node);
    else for (const one of child as readonly (Node | null)[]) if (one) stack.push(one);
  }
}

function pushAll(node: Node, stack: Node[]): void {
  for (const key in node) {
    const child = (node as unknown as Record<string, unknown>)[key];
    if (typeof child !== "object" || child === null) continue;
    if (Array.isArray(child)) {
      for (const one of child as (Node | null)[]) if (one && typeof one.type === "string") stack.push(one);
    } else if (typeof (child as Node).type === "string") stack.push(child as Node);
  }
}

/** False when the node's children need no visit. */
function visit(node: Node, scan: Scan): boolean {
  switch (node.type) {
    case "Identifier":
      return false;
    case "Literal":
      if (typeof node.value === "string") written(node.value, isEscaped(node.value, node.start, scan.sights), node.start, scan);
      else if (node.regex) expression(node.regex.pattern, node.start, scan);
      return false;
    case "TemplateElement": {
      const { cooked, raw } = node.value as { cooked?: string | null; raw?: string };
      if (cooked) written(cooked, cooked.length !== raw?.length, node.start, scan);
      return false;
    }
    case "VariableDeclarator":
      bind(node.id, node.init, scan);
      return true;
    case "AssignmentExpression":
      // What is added to piece by piece (`text += chunk`) is no constant, however it began.
      if (node.left?.type === "Identifier" && node.operator !== "=") scan.bound.set(node.left.name!, undefined);
      else if (node.left?.type === "Identifier") bind(node.left, node.right, scan);
      if (node.left?.type === "MemberExpression" || isOwnFetch(node)) scan.later.push(node);
      return true;
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      imported(node, scan);
      return true;
    case "BinaryExpression":
      if (node.operator === "+") return concatenation(node, scan);
      if (node.operator === "^" && (calls(node.left, "charCodeAt") || calls(node.right, "charCodeAt")))
        see(scan.sights, "decoder", node.start, "xor");
      return true;
    case "CallExpression":
    case "NewExpression":
    case "ImportExpression":
    case "ForInStatement":
      scan.later.push(node);
      return true;
    case "MemberExpression":
      if (node.property?.name === "ethereum" && !node.computed && isGlobal(node.object)) see(scan.sights, "wallet", node.start, "ethereum");
      if (node.property?.name === "clipboard" && node.object?.name === "navigator") see(scan.sights, "clipboard", node.start);
      if (node.computed === true && node.property?.type !== "Literal") scan.later.push(node);
      return true;
    default:
      return true;
  }
}

/** A regular expression that finds addresses of coins says the same as a string of it. */
function expression(text: string, at: number, { sights }: Scan): void {
  for (const { id, what, pattern } of WALLETS) if (pattern.test(text)) see(sights, id, at, what);
}

const WALLETS = STRINGS.filter(({ id }) => id === "wallet");

/** `fetch = async (…) => …`: nobody who wants another fetch than the browser's writes it himself. */
function isOwnFetch({ left, right, operator }: Node): boolean {
  return left?.name === "fetch" && operator === "=" && /^(?:Function|ArrowFunction|New)Expression$/.test(right?.type ?? "");
}

/** Whether a string without quotes in it stands longer in the source than it is: its quote does not close where it would. */
function isEscaped(text: string, at: number, { source }: Sights): boolean {
  return source.charCodeAt(at + 1 + text.length) !== source.charCodeAt(at);
}

/** A string of the source. */
function written(text: string, escaped: boolean, at: number, scan: Scan): void {
  if (escaped && HIDDEN.has(text)) see(scan.sights, "hidden-name", at, text);
  literal(text, at, scan);
}

/** A string as the program will have it. */
function literal(text: string, at: number, { sights }: Scan): void {
  if (text.length < 4) return;
  countAddress(sights, text, at);
  for (const { id, what } of matching(text)) see(sights, id, at, what);
  if (text.length >= LIMITS.blobChars && isBlob(text)) see(sights, "encoded-blob", at);
  if (text.includes("://"))
    for (const match of text.matchAll(HOST))
      if (match[1]!.includes(".") && sights.hosts.size < LIMITS.hostsPerFile) sights.hosts.add(match[1]!.toLowerCase());
}

/** Long, of one encoding's letters, and as mixed as only packed or enciphered data is. A data: URL says what it is. */
function isBlob(text: string): boolean {
  const letters = lettersOf(text);
  if (letters === "others") return false;
  const counts = new Map<number, number>();
  const sample = Math.min(text.length, 4_096);
  for (let at = 0; at < sample; at++) counts.set(text.charCodeAt(at), (counts.get(text.charCodeAt(at)) ?? 0) + 1);
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / sample) * Math.log2(count / sample);
  // base64 of random bytes measures 5.9 to 6.0 bits a letter, of text or tables less; hex cannot pass 4.
  return entropy > 5.6 || (entropy > 3.95 && letters === "hex");
}

/**
 * Not a regular expression: in a thread that has compiled many, V8 runs new ones with a stack that millions of letters overflow.
 * "base64" is either alphabet, with padding.
 */
function lettersOf(text: string): "hex" | "base64" | "others" {
  let hex = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? LETTERS[code]! : 0;
    if (kind === 0) return "others";
    hex &&= kind === 2;
  }
  return hex ? "hex" : "base64";
}

/** By ASCII code: 2 = a digit of hex, 1 = another letter of base64, 0 = neither. */
const LETTERS = Uint8Array.from({ length: 128 }, (_, code) => {
  const letter = String.fromCharCode(code);
  return /[0-9a-f]/i.test(letter) ? 2 : /[A-Za-z0-9+/=_-]/.test(letter) ? 1 : 0;
});

function bind(id: Node | null | undefined, init: Node | null | undefined, scan: Scan): void {
  if (id?.type === "Identifier") {
    const name = id.name!;
    // `var x;` binds nothing yet; the second value makes a name useless.
    if (init) scan.bound.set(name, scan.bound.has(name) ? undefined : init);
  } else if (id?.type === "ObjectPattern" && init) {
    const module = requiredModule(init);
    for (const property of id.properties ?? []) {
      const local = property.value as Node | undefined;
      if (module !== undefined && local?.type === "Identifier") scan.modules.set(local.name!, module);
      else if (property.key?.name === "env" && init.type === "Identifier" && init.name === "process" && local?.type === "Identifier")
        scan.bound.set(local.name!, { type: "MemberExpression", start: id.start, object: init, property: property.key });
    }
  }
}

function imported(node: Node, scan: Scan): void {
  const from = node.source?.value;
  if (typeof from !== "string") return;
  requires(from, node.start, scan);
  const module = from.replace(/^node:/, "");
  if (Object.hasOwn(MODULES, module))
    for (const { local } of node.specifiers ?? []) if (local?.name !== undefined) scan.modules.set(local.name, module);
}

/** A module is asked for, by whatever means. */
function requires(specifier: string, at: number, { sights }: Scan): void {
  seeImport(sights, specifier);
  seeModule(specifier.replace(/^node:/, ""), at, "import", sights);
}

function seeModule(module: string | undefined, at: number, how: "import" | "call", sights: Sights): void {
  if (module !== undefined && Object.hasOwn(MODULES, module)) see(sights, MODULES[module]!, at, how);
}

/** A chain of `+` is taken apart once: visiting its links one by one would cost the square of its length. */
function concatenation(node: Node, { stack, later }: Scan): boolean {
  for (const part of operands(node)) stack.push(part);
  later.push(node);
  return false;
}

function resolve(node: Node, scan: Scan, constants: Constants): void {
  switch (node.type) {
    case "BinaryExpression":
      return assembledRuns(node, scan, constants);
    case "MemberExpression":
      return assembled(fold(node.property, constants), node, scan);
    case "AssignmentExpression":
      return assigned(node.left!, node, scan, constants);
    case "ForInStatement":
      if (isEnvironment(node.right, scan)) see(scan.sights, "env-list", node.start);
      return;
    case "ImportExpression": {
      const from = fold(node.source, constants);
      if (from?.startsWith("data:")) see(scan.sights, "dynamic-code", node.start, "data-url");
      else if (from !== undefined) requires(from, node.start, scan);
      return;
    }
    default:
      call(node, scan, constants);
  }
}

/** Each run of constants in a chain of `+`, of which the rest may be anything. */
function assembledRuns(node: Node, scan: Scan, constants: Constants): void {
  let run = "";
  let length = 0;
  for (const part of [...operands(node), undefined]) {
    const text = fold(part, constants);
    if (text !== undefined && run.length < LIMITS.foldedChars) {
      run += text;
      length++;
    } else {
      if (length > 1) assembled(run, node, scan);
      run = text ?? "";
      length = text === undefined ? 0 : 1;
    }
  }
}

/** A string put together: what it says, and whether anybody would put that together. */
function assembled(text: string | undefined, node: Node, scan: Scan): void {
  if (text === undefined) return;
  if (HIDDEN.has(text)) see(scan.sights, "hidden-name", node.start, text);
  literal(text, node.start, scan);
}

function assigned(left: Node, node: Node, scan: Scan, constants: Constants): void {
  if (left.type === "Identifier") see(scan.sights, "browser-hook", node.start, "fetch");
  else replaced(left.object, propertyName(left, constants), node, scan);
}

/** What wallets are asked with. */
const WALLET_CALLS: ReadonlySet<string> = new Set(["request", "send", "sendAsync", "signTransaction", "signAndSendTransaction"]);

/** A property of an object that a browser or a wallet gives everybody is set anew. */
function replaced(given: Node | undefined, name: string | undefined, { start }: Node, { sights, bound }: Scan): void {
  if (name === undefined) return;
  const owner = given?.type === "Identifier" ? (bound.get(given.name!) ?? given) : given;
  const isHook =
    (name === "fetch" && isGlobal(owner)) ||
    ((name === "open" || name === "send") && owner?.property?.name === "prototype" && owner.object?.name === "XMLHttpRequest") ||
    (WALLET_CALLS.has(name) && (owner?.property?.name === "ethereum" || owner?.property?.name === "solana"));
  if (isHook) see(sights, "browser-hook", start, name);
}

function call(node: Node, scan: Scan, constants: Constants): void {
  const { sights, modules } = scan;
  const { callee, arguments: args = [], start } = node;
  if (callee?.type === "Identifier") {
    const name = callee.name!;
    seeModule(modules.get(name), start, "call", sights);
    if (name !== "createServer") namedHosts(modules.get(name), args, scan, constants);
    switch (name) {
      case "eval":
        if (!isHarmless(args[0], scan, constants)) see(sights, "dynamic-code", start, "eval");
        return;
      case "Function":
        if (args.length > 0 && !isHarmless(args.at(-1), scan, constants)) see(sights, "dynamic-code", start, "function");
        return;
      case "rimraf":
        if (isHome(args[0], scan, constants)) see(sights, "destructive", start, "home");
        return;
      case "fetch":
      case "XMLHttpRequest":
      case "WebSocket":
      case "EventSource":
        if (name === "fetch" || node.type === "NewExpression") see(sights, "network", start, "call");
        return;
      case "atob":
        see(sights, "decoder", start, "base64");
        return;
      case "setTimeout":
      case "setInterval":
        if (args[0]?.type === "Literal" && typeof args[0].value === "string") see(sights, "dynamic-code", start, "timer");
        return;
    }
    const specifier = args.length > 0 && node.type === "CallExpression" ? requiredBy(name, args, scan, constants) : undefined;
    if (specifier !== undefined) {
      requires(specifier, start, scan);
      if (args[0]!.type === "BinaryExpression" || args[0]!.type === "CallExpression") assembled(specifier, args[0]!, scan);
    }
    return;
  }
  if (callee?.type === "Import") {
    const from = fold(args[0], constants);
    if (from !== undefined) requires(from, start, scan);
    return;
  }
  if (callee?.type !== "MemberExpression") return;
  const name = propertyName(callee, constants);
  const owner = callee.object;
  const module = owner && (owner.type === "Identifier" ? moduleOf(owner.name!, scan) : requiredModule(owner));
  // A server waits to be asked.
  if (name !== "createServer") {
    seeModule(module, start, "call", sights);
    namedHosts(module, args, scan, constants);
    if (name === "connect" && module === undefined) scan.connects.push(args);
  }
  switch (name) {
    case "require":
      if (owner?.name === "module" || owner?.property?.name === "mainModule") {
        const from = fold(args[0], constants);
        if (from !== undefined) requires(from, start, scan);
      }
      return;
    case "eval":
    case "Function":
      if (isGlobal(owner) && !isHarmless(args.at(-1), scan, constants)) see(sights, "dynamic-code", start, "eval");
      return;
    case "constructor":
      if (
        owner?.type === "MemberExpression" &&
        propertyName(owner, constants) === "constructor" &&
        !isHarmless(args.at(-1), scan, constants)
      )
        see(sights, "dynamic-code", start, "constructor");
      return;
    case "_compile":
    case "runInThisContext":
    case "runInNewContext":
      see(sights, "dynamic-code", start, "vm");
      return;
    case "fetch":
    case "sendBeacon":
      if (isGlobal(owner) || owner?.name === "navigator") see(sights, "network", start, "call");
      return;
    case "from": {
      const encoding = owner?.name === "Buffer" ? fold(args[1], constants) : undefined;
      if (encoding === "base64" || encoding === "hex") see(sights, "decoder", start, encoding);
      return;
    }
    case "fromCharCode":
      if (args.some((arg) => arg.type === "BinaryExpression" && arg.operator === "^")) see(sights, "decoder", start, "xor");
      return;
    case "stringify":
    case "inspect":
      if (holdsEnvironment(args[0], scan, 0)) see(sights, "env-harvest", start, name);
      return;
    case "keys":
    case "entries":
    case "values":
      if (owner?.name === "Object" && isEnvironment(args[0], scan)) see(sights, "env-list", start, name);
      return;
    case "homedir":
      see(sights, "filesystem-outside", start, "home");
      return;
    case "defineProperty":
      replaced(args[0], fold(args[1], constants), node, scan);
      return;
    case "rm":
    case "rmSync":
    case "rmdir":
    case "rmdirSync":
    case "remove":
    case "removeSync":
    case "emptyDir":
    case "emptyDirSync":
    case "unlink":
    case "unlinkSync":
      if (isHome(args[0], scan, constants)) see(sights, "destructive", start, "home");
      else seeOwn(args[0], start, scan, constants);
      return;
    case "rename":
    case "renameSync":
    case "copyFile":
    case "copyFileSync":
      seeOwn(args[1], start, scan, constants);
      return;
    case "sync":
      if (owner?.name === "rimraf" && isHome(args[0], scan, constants)) see(sights, "destructive", start, "home");
      return;
  }
  // What is handed to a request whole.
  if (module !== undefined && MODULES[module] === "network" && args.some((arg) => holdsEnvironment(arg, scan, 0)))
    see(sights, "env-harvest", start, "sent");
}

/** Modules whose functions take a port and then a host. */
const SOCKETS: readonly string[] = ["net", "tls"];

/** Hosts that a call of a network module names without a URL: in its options, or by their place. */
function namedHosts(module: string | undefined, args: readonly Node[], { sights, bound }: Scan, constants: Constants): void {
  if (module === undefined || MODULES[module] !== "network") return;
  const place = SOCKETS.includes(module) ? 1 : module === "dns" || module === "dns/promises" ? 0 : undefined;
  for (const [index, arg] of args.entries()) {
    if (index === place) seeHost(fold(arg, constants), sights);
    const options = arg.type === "Identifier" ? bound.get(arg.name!) : arg;
    if (options?.type !== "ObjectExpression") continue;
    for (const { key, computed, value } of options.properties ?? []) {
      const name = computed === true ? fold(key, constants) : (key?.name ?? key?.value);
      if (name === "host" || name === "hostname") seeHost(fold(value as Node | undefined, constants), sights);
    }
  }
}

function seeHost(text: string | undefined, { hosts }: Sights): void {
  const host = /^([A-Za-z0-9][A-Za-z0-9.-]{0,251}[A-Za-z0-9])(?::\d{1,5})?$/.exec(text ?? "")?.[1];
  if (host?.includes(".") && hosts.size < LIMITS.hostsPerFile) hosts.add(host.toLowerCase());
}

/** What a call of this name asks for, when it is a way to ask for a module. */
function requiredBy(name: string, args: readonly Node[], { bound }: Scan, constants: Constants): string | undefined {
  const first = args[0]!;
  const alias = bound.get(name);
  const isRequire =
    name === "require" ||
    name === "__require" ||
    (alias?.type === "Identifier" && alias.name === "require") ||
    (alias?.type === "CallExpression" && alias.callee?.name === "createRequire");
  if (isRequire) return fold(first, constants);
  // Bundlers rename `require`; nobody hands this name to anything else.
  return first.type === "Literal" && (first.value === "child_process" || first.value === "node:child_process") ? first.value : undefined;
}

/** The module of `require("x")`, also of `__importStar(require("x"))` and `await import("x")`. */
function requiredModule(node: Node | undefined, depth = 0): string | undefined {
  if (!node || depth > 3) return undefined;
  if (node.type === "AwaitExpression") return requiredModule(node.argument ?? undefined, depth + 1);
  const from = node.type === "ImportExpression" ? node.source : node.type === "CallExpression" ? node.arguments?.[0] : undefined;
  if (!from) return undefined;
  if (from.type === "CallExpression") return requiredModule(from, depth + 1);
  const isRequire = node.type === "ImportExpression" || /^_*require$/.test(node.callee?.name ?? "");
  return isRequire && typeof from.value === "string" ? from.value.replace(/^node:/, "") : undefined;
}

function moduleOf(name: string, { modules, bound }: Scan): string | undefined {
  return modules.get(name) ?? requiredModule(bound.get(name));
}

function propertyName({ property, computed }: Node, constants: Constants): string | undefined {
  return computed === true ? fold(property, constants) : property?.name;
}

const GLOBALS: ReadonlySet<string> = new Set(["globalThis", "window", "self", "global", "top"]);

function isGlobal(node: Node | undefined): boolean {
  return node?.type === "Identifier" && GLOBALS.has(node.name!);
}

function calls(node: Node | undefined, method: string): boolean {
  return node?.type === "CallExpression" && node.callee?.property?.name === method;
}

/**
 * A constant that does nothing but reach for the global object or probe a language feature, as much old code does. Written as it is run:
 * what must be decoded first is meant not to be read.
 */
function isHarmless(node: Node | undefined, scan: Scan, constants: Constants): boolean {
  if (!node || !isWritten(node, scan)) return false;
  const code = fold(node, constants);
  return code !== undefined && code.length < 200 && !NOT_HARMLESS.test(code);
}

const NOT_HARMLESS =
  /require|import|process|fetch|XMLHttp|WebSocket|sendBeacon|atob|unescape|decodeURI|fromCharCode|Buffer|\beval\b|constructor|\\[xu]|https?:/;

/** A string in the source, a name for one, or a sum of them. */
function isWritten(node: Node, { bound }: Scan, depth = 0): boolean {
  if (depth > 3) return false;
  if (node.type === "Literal") return true;
  if (node.type === "TemplateLiteral") return (node.expressions ?? []).length === 0;
  if (node.type === "BinaryExpression") return operands(node).every((part) => isWritten(part, { bound } as Scan, depth + 1));
  const meant = node.type === "Identifier" ? bound.get(node.name!) : undefined;
  return meant !== undefined && isWritten(meant, { bound } as Scan, depth + 1);
}

/** The running file itself, or the package.json beside it. */
function seeOwn(node: Node | undefined, at: number, scan: Scan, constants: Constants): void {
  const target = node?.type === "Identifier" ? (scan.bound.get(node.name!) ?? node) : node;
  if (isOwnFile(target)) see(scan.sights, "self-delete", at, "file");
  const isJoined = target?.type === "CallExpression" && (calls(target, "join") || calls(target, "resolve"));
  const beside = isJoined && target.arguments?.length === 2 && target.arguments[0]?.name === "__dirname";
  if (beside && fold(target.arguments![1], constants) === "package.json") see(scan.sights, "self-delete", at, "manifest");
}

/** `__filename`, `process.argv[1]`, `fileURLToPath(import.meta.url)`. */
function isOwnFile(node: Node | undefined): boolean {
  if (node?.type === "Identifier") return node.name === "__filename";
  if (node?.type === "MemberExpression") return node.object?.property?.name === "argv" && node.property?.value === 1;
  const [url] = node?.type === "CallExpression" && node.callee?.name === "fileURLToPath" ? (node.arguments ?? []) : [];
  return url?.property?.name === "url" && url.object?.type === "MetaProperty";
}

function isEnvironment(node: Node | undefined, { bound }: Scan, depth = 0): boolean {
  if (node?.type === "Identifier")
    return depth < 3 && bound.has(node.name!) && isEnvironment(bound.get(node.name!), { bound } as Scan, depth + 1);
  if (node?.type !== "MemberExpression") return false;
  const env = node.property?.name === "env" || node.property?.value === "env";
  return env && (node.object?.name === "process" || (node.object?.property?.name === "process" && isGlobal(node.object.object)));
}

/** The environment itself, or an object that holds it whole. */
function holdsEnvironment(node: Node | undefined, scan: Scan, depth: number): boolean {
  if (!node || depth > 3) return false;
  if (isEnvironment(node, scan)) return true;
  if (node.type === "Identifier") return holdsEnvironment(scan.bound.get(node.name!), scan, depth + 1);
  if (node.type !== "ObjectExpression") return false;
  return (node.properties ?? []).some((property) =>
    holdsEnvironment(
      property.type === "SpreadElement" ? (property.argument ?? undefined) : (property.value as Node | undefined),
      scan,
      depth + 1,
    ),
  );
}

/** The home folder whole, or everything: not what lies below it. */
function isHome(node: Node | undefined, scan: Scan, constants: Constants, depth = 0): boolean {
  const target = node?.type === "Identifier" ? scan.bound.get(node.name!) : node;
  if (!target || depth > 3) return false;
  const isRest = (part: Node | undefined): boolean => /^[/\\*.]*$/.test(fold(part, constants) ?? "?");
  const isHomeToo = (part: Node | undefined): boolean => isHome(part, scan, constants, depth + 1);
  if (calls(target, "homedir") || (target.type === "CallExpression" && target.callee?.name === "homedir")) return true;
  if (target.type === "MemberExpression") return /^(?:HOME|USERPROFILE)$/.test(propertyName(target, constants) ?? "");
  if (calls(target, "join") || calls(target, "resolve"))
    return isHomeToo(target.arguments?.[0]) && (target.arguments ?? []).slice(1).every(isRest);
  if (target.type === "BinaryExpression") return isHomeToo(target.left ?? undefined) && isRest(target.right ?? undefined);
  if (target.type === "TemplateLiteral" && target.expressions?.length === 1)
    return isHomeToo(target.expressions[0]) && (target.quasis ?? []).every(isRest);
  return /^(?:\/|~|[Cc]:[/\\]?)\*?$/.test(fold(target, constants) ?? "");
}
