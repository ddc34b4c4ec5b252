import { expect, test } from "vitest";
import { addFeed, removeFeed } from "./feed-edits.ts";

const FILE = `# what this machine believes
policy:
  hold: 3d # long enough

feeds:
  # everybody's
  - { name: osv, url: "https://feeds.example.test/npm/all.zip" }
  # ours
  - name: own
    path: denied.yaml
    kind: list
`;

test("a feed is added behind the others; comments and other settings stay", () => {
  expect(addFeed(FILE, { name: "mirror", path: "/srv/osv" }, "cordon.yaml")).toBe(`${FILE}  - { name: mirror, path: /srv/osv }\n`);
  expect(addFeed(undefined, { name: "own", path: "/etc/x.yaml", kind: "list" }, "cordon.yaml")).toBe(
    "feeds:\n  - { name: own, path: /etc/x.yaml, kind: list }\n",
  );
  expect(addFeed("# only a comment\nfeeds: []\n", { name: "a", path: "/a" }, "cordon.yaml")).toBe(
    "# only a comment\nfeeds:\n  - { name: a, path: /a }\n",
  );
  expect(() => addFeed(FILE, { name: "osv", path: "/a" }, "cordon.yaml")).toThrow("cordon.yaml has a feed called osv already");
});

test("a feed is taken out with what was said of it, and the key stays", () => {
  const without = removeFeed(FILE, "own", "cordon.yaml");
  expect(without).toBe(FILE.slice(0, FILE.indexOf("  # ours")));
  expect(removeFeed(without, "osv", "cordon.yaml")).toBe("# what this machine believes\npolicy:\n  hold: 3d # long enough\n\nfeeds: []\n");
  expect(removeFeed("feeds: [{ name: a, path: /a }]\n", "a", "cordon.yaml")).toBe("feeds: []\n");
  expect(() => removeFeed(FILE, "osc", "cordon.yaml")).toThrow('cordon.yaml has no feed called "osc"');
});

test("what cannot be edited is said, not overwritten", () => {
  expect(() => addFeed("feeds: all\n", { name: "a", path: "/a" }, "cordon.yaml")).toThrow("cordon.yaml: feeds is no list");
  expect(() => addFeed("- a\n", { name: "a", path: "/a" }, "cordon.yaml")).toThrow("cordon.yaml is no mapping of settings");
  expect(() => addFeed("a: [\n", { name: "a", path: "/a" }, "cordon.yaml")).toThrow(/^cordon.yaml: /);
});
