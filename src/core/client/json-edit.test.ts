import * as fc from "fast-check";
import { expect, test } from "vitest";
import { jsonAt, jsonProblem, putJson } from "./json-edit.ts";

test("a value is put in the document's own layout, and nothing else moves", () => {
  const text = '{\r\n\t"name": "site", // ours\r\n\t"dependencies": { "a": "^1.0.0" }\r\n}\r\n';
  expect(putJson(text, ["dependencies", "a"], "^2.0.0")).toBe(text.replace("^1.0.0", "^2.0.0"));
  expect(putJson(text, ["dependencies", "b"], "1.0.0")).toBe(text.replace('"^1.0.0" }', '"^1.0.0", "b": "1.0.0" }'));
  expect(putJson(text, ["overrides", "a", "b"], "1.0.0")).toBe(
    text.replace(" }\r\n}", ' },\r\n\t"overrides": {\r\n\t\t"a": {\r\n\t\t\t"b": "1.0.0"\r\n\t\t}\r\n\t}\r\n}'),
  );
  expect(putJson("{}", ["minimumDependencyAge"], 4320)).toBe('{\n  "minimumDependencyAge": 4320\n}');
  expect(putJson('{\n  "a": 1,\n}\n', ["b"], [])).toBe('{\n  "a": 1,\n  "b": [],\n}\n');
});

test("what cannot be edited is said, not guessed", () => {
  expect(putJson("[]", ["a"], 1)).toBeUndefined();
  expect(putJson('{"a": 1}', ["a", "b"], 1)).toBeUndefined();
  expect(putJson('{"a": ', ["a"], 1)).toBeUndefined();
  expect(jsonProblem('{"a": 1, "a": 2}')).toContain("line 1");
  expect(jsonProblem('{"a": 1}')).toBeUndefined();
});

test("places carry lines and items", () => {
  const text = '{\n  "age": {\n    "exclude": ["npm:a",\n      "npm:b"]\n  }\n}';
  expect(jsonAt(text, ["age", "exclude"])).toMatchObject({
    line: 3,
    kind: "list",
    items: [
      { value: "npm:a", line: 3 },
      { value: "npm:b", line: 4 },
    ],
  });
  expect(jsonAt(text, ["age", "none"])).toBeUndefined();
});

test("what was put is what is read, and everything else is as it was", () => {
  const key = fc.string({ minLength: 1, maxLength: 6 }).filter((word) => word !== "__proto__");
  const object = fc.dictionary(key, fc.oneof(fc.integer(), fc.string(), fc.dictionary(key, fc.string(), { maxKeys: 3 })), { maxKeys: 5 });
  fc.assert(
    fc.property(object, key, fc.string(), fc.constantFrom(0, 2, "\t"), (before, name, value, indent) => {
      const after = putJson(JSON.stringify(before, undefined, indent), [name], value);
      expect(JSON.parse(after!)).toEqual({ ...before, [name]: value });
    }),
  );
});
