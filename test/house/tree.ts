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
  const declared = new Set<string>();
  const strings: { text: string; line: number }[] = [];
  const lineOf = (node: ts.Node): number => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;

  const visit = (node: ts.Node): void => {
    const line = lineOf(node);
    if (
      (ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isFunctionDeclaration(node) || ts.isBindingElement(node)) &&
      node.name &&
      ts.isIdentifier(node.name)
    )
      declared.add(node.name.text);
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      const clause = ts.isImportDeclaration(node) ? node.importClause : node.exportClause;
      const typeOnly = ts.isExportDeclaration(node) ? node.isTypeOnly : node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      imports.push({ from: node.moduleSpecifier.text, line, typeOnly, names: namesIn(clause) });
      return;
    }
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal))
      imports.push({ from: node.argument.literal.text, line, typeOnly: true, names: [] });
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [wanted] = node.arguments;
      if (wanted && ts.isStringLiteralLike(wanted)) imports.push({ from: wanted.text, line, typeOnly: false, names: [] });
      else uses.push({ name: "import(variable)", line });
    }
    if (ts.isNewExpression(node) && node.expression.getText(file) === "Date" && !node.arguments?.length)
      uses.push({ name: "new Date()", line });
    if (ts.isCallExpression(node) && node.expression.getText(file) === "Date") uses.push({ name: "Date()", line });
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression))
      uses.push({ name: `${node.expression.text}.${node.name.text}`, line });
    if (ts.isIdentifier(node) && isFree(node)) uses.push({ name: node.text, line });
    if (ts.isStringLiteralLike(node)) strings.push({ text: node.text, line });
    if (ts.isTemplateExpression(node))
      strings.push({ text: [node.head, ...node.templateSpans.map((span) => span.literal)].map((part) => part.text).join("?"), line });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { imports, uses: uses.filter(({ name }) => !declared.has(name.split(".")[0]!)), strings };
}

function namesIn(clause: ts.ImportClause | ts.NamedExportBindings | undefined): readonly string[] {
  const bindings = clause && ts.isImportClause(clause) ? clause.namedBindings : clause;
  if (!bindings || !(ts.isNamedImports(bindings) || ts.isNamedExports(bindings))) return [];
  return bindings.elements.map((element) => (element.propertyName ?? element.name).text);
}

/** Whether an identifier stands for a variable, and not for a property, a key or a type's member. */
function isFree(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  return !(
    ts.isPropertySignature(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isQualifiedName(parent) ||
    ts.isBindingElement(parent) ||
    ts.isParameter(parent)
  );
}

/** Where a relative import leads, as a path from the root. */
export function resolveImport(path: string, from: string): string {
  return posix.normalize(posix.join(posix.dirname(path), from));
}
