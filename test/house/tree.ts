/** The repository as the house rules see it: its files, and what each TypeScript file imports and names. */
import { readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";

export const ROOT = join(import.meta.dirname, "..", "..");

/** Not ours, or made by a tool from what is. */
const SKIPPED = new Set(["node_modules", "dist", ".git", ".cache"]);

/** Every file of the repository, as a path with `/` from its root. */
export function files(under = ""): readonly string[] {
  return readdirSync(join(ROOT, under), { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = posix.join(under, entry.name);
    return entry.isDirectory() ? files(path) : entry.isFile() ? [path] : [];
  });
}

export function text(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

export function sources(): readonly string[] {
  return files("src").filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));
}

/** One import of a file, static or dynamic, of values or of types. */
export type Import = { readonly from: string; readonly line: number; readonly typeOnly: boolean; readonly names: readonly string[] };

export type SourceFile = {
  readonly imports: readonly Import[];
  /** Names the file uses without declaring them: `process`, `Date.now`, `new Date()`, `import(variable)`. */
  readonly uses: readonly { readonly name: string; readonly line: number }[];
  /** String and template texts, joined template by template. */
  readonly strings: readonly { readonly text: string; readonly line: number }[];
};

/** Reads a file with TypeScript's own parser, so that comments and strings are never taken for code. */
export function parse(path: string, code: string = text(path)): SourceFile {
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.ES2022, true);
  const imports: Import[] = [];
  const uses: { name: string; line: number }[] = [];
  const strings: { text: string; line: number }[] = [];
  const declared = new Set<string>();

  const visit = (node: ts.Node): void => {
    const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
    const imported = importIn(node);
    if (imported) imports.push({ ...imported, line });
    // The names inside an import are another file's.
    if (ts.isImportDeclaration(node)) return;
    const used = useIn(node);
    if (used) uses.push({ name: used, line });
    const string = stringIn(node);
    if (string !== undefined) strings.push({ text: string, line });
    const own = declarationIn(node);
    if (own) declared.add(own);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { imports, uses: uses.filter(({ name }) => !declared.has(name.split(".")[0]!)), strings };
}

function importIn(node: ts.Node): Omit<Import, "line"> | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    const clause = node.importClause;
    const named = clause?.namedBindings && ts.isNamedImports(clause.namedBindings) ? clause.namedBindings.elements : [];
    const names = named.map((element) => (element.propertyName ?? element.name).text);
    return { from: node.moduleSpecifier.text, typeOnly: clause?.phaseModifier === ts.SyntaxKind.TypeKeyword, names };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier))
    return { from: node.moduleSpecifier.text, typeOnly: node.isTypeOnly, names: [] };
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal))
    return { from: node.argument.literal.text, typeOnly: true, names: [] };
  if (isDynamicImport(node) && node.arguments[0] && ts.isStringLiteralLike(node.arguments[0]))
    return { from: node.arguments[0].text, typeOnly: false, names: [] };
  return undefined;
}

function useIn(node: ts.Node): string | undefined {
  if (isDynamicImport(node)) return node.arguments[0] && ts.isStringLiteralLike(node.arguments[0]) ? undefined : "import(variable)";
  if (ts.isNewExpression(node) && isDate(node.expression)) return node.arguments?.length ? undefined : "new Date()";
  if (ts.isCallExpression(node) && isDate(node.expression)) return "Date()";
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) return `${node.expression.text}.${node.name.text}`;
  if (ts.isIdentifier(node) && isFree(node)) return node.text;
  return undefined;
}

function isDynamicImport(node: ts.Node): node is ts.CallExpression {
  return ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
}

function isDate(node: ts.Expression): boolean {
  return ts.isIdentifier(node) && node.text === "Date";
}

/** Whether an identifier stands for a variable, and not for a property, a key or a type's member. */
function isFree(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent) || ts.isBindingElement(parent) || ts.isParameter(parent)) return parent.initializer === node;
  return !(ts.isTypeElement(parent) || ts.isMethodDeclaration(parent) || ts.isQualifiedName(parent));
}

function declarationIn(node: ts.Node): string | undefined {
  const declares = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isFunctionDeclaration(node) || ts.isBindingElement(node);
  return declares && node.name && ts.isIdentifier(node.name) ? node.name.text : undefined;
}

function stringIn(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return [node.head, ...node.templateSpans.map((span) => span.literal)].map((part) => part.text).join("?");
  return undefined;
}

/** Where a relative import leads, as a path from the root. */
export function resolveImport(path: string, from: string): string {
  return posix.normalize(posix.join(posix.dirname(path), from));
}
