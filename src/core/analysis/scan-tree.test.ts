/** A call is seen wherever a syntax tree can hold one: the walk must not know a type of node and miss one of its fields. */
import { expect, test } from "vitest";
import { openSights } from "./findings.ts";
import { scanTree } from "./scan-tree.ts";
import { parse } from "./syntax.ts";

const CALL = "eval(hidden)";

const PLACES: readonly string[] = [
  // Types the walk knows by name.
  `[first, , ${CALL}]`,
  `(a = ${CALL}) => 0`,
  `(...[a = ${CALL}]) => 0`,
  `() => ${CALL}`,
  `() => { ${CALL} }`,
  `${CALL}.of = 1`,
  `a = ${CALL}`,
  `a += ${CALL}`,
  `[a = ${CALL}] = b`,
  `${CALL} - 1`,
  `1 - ${CALL}`,
  `1 + ${CALL} + 2`,
  `{ ; ${CALL} }`,
  `${CALL}()`,
  `a(1, ${CALL})`,
  `a(...${CALL})`,
  `${CALL} ? 1 : 2`,
  `a ? ${CALL} : 2`,
  `a ? 1 : ${CALL}`,
  `function f(a = ${CALL}) {}`,
  `function f() { ${CALL} }`,
  `(function (a = ${CALL}) {})`,
  `(function f() { ${CALL} })`,
  `if (${CALL}) {}`,
  `if (a) ${CALL}`,
  `if (a) {} else ${CALL}`,
  `${CALL} && a`,
  `a ?? ${CALL}`,
  `${CALL}.a`,
  `a[${CALL}]`,
  `a?.[${CALL}]`,
  `new (${CALL})()`,
  `new A(${CALL})`,
  `({ a, [${CALL}]: 1 })`,
  `({ a: ${CALL} })`,
  `({ a() { ${CALL} } })`,
  `({ get a() { return ${CALL} } })`,
  `({ ...${CALL} })`,
  `return ${CALL}`,
  `1, ${CALL}`,
  `\`a\${1}\${${CALL}}\``,
  `!${CALL}`,
  `${CALL}.a++`,
  `var a, b = ${CALL}`,
  `var { a = ${CALL} } = b`,
  `var { [${CALL}]: a } = b`,
  // Types of which it searches every field.
  `switch (${CALL}) {}`,
  `switch (a) { case ${CALL}: }`,
  `switch (a) { default: ${CALL} }`,
  `for (${CALL};;) {}`,
  `for (;;) ${CALL}`,
  `for (const a of ${CALL}) {}`,
  `for (const a in ${CALL}) {}`,
  `do {} while (${CALL})`,
  `while (${CALL}) {}`,
  `a: ${CALL}`,
  `throw ${CALL}`,
  `try { ${CALL} } finally {}`,
  `try {} catch { ${CALL} }`,
  `try {} finally { ${CALL} }`,
  `class A extends (${CALL}) {}`,
  `class A { a = ${CALL} }`,
  `class A { [${CALL}]() {} }`,
  `class A { static { ${CALL} } }`,
  `(class { #a = ${CALL} })`,
  `async () => await ${CALL}`,
  `function* f() { yield ${CALL} }`,
  `tag\`\${${CALL}}\``,
  `a?.b(${CALL})`,
  `import(${CALL})`,
  `with (${CALL}) {}`,
  `export default ${CALL}`,
  `export const a = ${CALL}`,
];

test.each(PLACES)("%s", (source) => {
  const syntax = parse(source);
  if ("unread" in syntax) throw new Error(syntax.unread.reason);
  const sights = openSights(source);
  expect(scanTree(syntax.root, sights)).toBe(true);
  expect(sights.seen.get("dynamic-code")?.first).toEqual([{ at: source.indexOf(CALL), what: "eval" }]);
});
