import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkReport, EXCEPTED, finding, hostileReport, hostileText, MALWARE } from "../../../test/kit/check-report.ts";
import { LIMITS } from "../base/limits.ts";
import type { CheckedChange, NewVersion } from "../check/change.ts";
import { changeMarkdown, COMMENT_MARK } from "./change-markdown.ts";
import { code, prose } from "./markdown-text.ts";
import { markdownOf } from "./markdown.ts";

test("the finding first: what counts, then what could not be checked, then what is excepted", () => {
  expect(markdownOf(checkReport({ findings: [MALWARE, finding({ via: [["app", "deep", "left-pad"]], more: 2 }), EXCEPTED] })))
    .toBe(`## cordon check: 1 critical · 1 high · not everything could be checked

11 packages in \`package-lock.json\`. Advisories: \`osv\` (read 2026\\-11\\-21T10:00:00.000Z).

|  | Finding | Package | Where | What removes it |
| --- | --- | --- | --- | --- |
| **critical** | \`malware-report\`<br>is malware: MAL\\-2026\\-1 | \`@evil/core@6.6.6\` | \`package-lock.json:40\` | to 1.0.1<br>\`npm install left-pad@1.0.1\` |
| **high** | \`vulnerability-report\`<br>is vulnerable: GHSA\\-aaaa\\-bbbb\\-cccc<br>osv: GHSA\\-aaaa\\-bbbb\\-cccc, introduced 0, fixed 1.0.1 | \`left-pad@1.0.0\`<br>via \`app > deep > left-pad\` and 2 other ways | \`package-lock.json:12\` | to 1.0.1<br>\`npm install left-pad@1.0.1\` |

### Not checked

- signatures could not run for 3 packages: no gate is configured \\(cordon setup\\)
- age could not run: the gate did not answer **The policy requires it.**

<details>
<summary>1 finding excepted</summary>

|  | Finding | Package | Excepted by |
| --- | --- | --- | --- |
| critical | \`vulnerability-report\` is vulnerable: GHSA\\-aaaa\\-bbbb\\-cccc | \`JSONStream@1.3.5\` | mara, until 2026\\-12\\-31: not reachable from our code |

</details>
`);
});

test("nothing found is said with what was looked at", () => {
  expect(markdownOf(checkReport({ findings: [], notChecked: [], feeds: [] }))).toBe(
    "## cordon check: nothing to act on\n\n11 packages in `package-lock.json`.\n",
  );
  expect(markdownOf(checkReport({ findings: [] }))).toContain("## cordon check: not everything could be checked");
});

const KEYV: NewVersion = {
  name: "keyv",
  version: "5.6.0",
  line: 12,
  source: "registry",
  dev: false,
  details: {
    ageMs: 2 * 86_400_000,
    action: "hold",
    until: "2026-11-24T09:10:00.000Z",
    publisher: { name: "GitHub Actions", trusted: true },
    scripts: [],
    provenance: { state: "valid", repository: "github.com/jaredwray/keyv" },
    signals: [{ id: "young-release", effect: "hold", title: "published 2 d ago" }],
  },
};

function changed(fields: Partial<CheckedChange> = {}): CheckedChange {
  return {
    path: "package-lock.json",
    since: "origin/main",
    added: [
      {
        name: "calm",
        version: "1.0.0",
        source: "registry",
        dev: true,
        details: { action: "allow", ageMs: 3e10, scripts: [], provenance: { state: "absent" } },
      },
      {
        name: "left-boxes",
        version: "0.0.3",
        source: "git",
        url: "https://git.test/x.git",
        dev: false,
        details: {
          action: "review",
          scripts: ["postinstall"],
          publisher: { name: "x", trusted: false, changed: true },
          nameAgeMs: 6 * 86_400_000,
          advisories: ["CVE-2026-1"],
        },
      },
    ],
    moved: [{ name: "keyv", from: ["5.5.4"], to: [KEYV], direction: "up" }],
    removed: [{ name: "gone", version: "1.0.0" }],
    changed: [
      {
        name: "ansi-styles",
        version: "6.2.1",
        line: 877,
        integrity: "different",
        source: { from: "https://r.test/a", to: "https://cdn.test/a" },
      },
    ],
    promoted: [{ name: "was-dev", version: "1.0.0" }],
    unchanged: 1_106,
    summary: { fresh: 3, withheld: 2, known: 1, notChecked: 0 },
    ...fields,
  };
}

test("the comment: what changed under its name, then the new versions, those that need a look first", () => {
  expect(changeMarkdown([changed()])).toBe(`${COMMENT_MARK}
### cordon: 3 versions new to this branch · 1 with other bytes or from another place · 2 held · 1 with a known advisory · 1 removed · 1,106 unchanged

\`package-lock.json\`, since \`origin/main\`

|  | The same version, changed | What changed |
| --- | --- | --- |
| **!** | \`ansi-styles@6.2.1\`, line 877 | other bytes<br>from \`https://r.test/a\` to \`https://cdn.test/a\` |

|  | Package | Age | Publisher | Install runs | Provenance | Verdict |
| --- | --- | --- | --- | --- | --- | --- |
| + | \`left-boxes\` \`0.0.3\`<br>from \`https://git.test/x.git\` | ?<br>new name, 6 d | \`x\`<br>**new here** | **\`postinstall\`** | ? | **review**<br>\`CVE-2026-1\` |
| ↑ | \`keyv\` \`5.5.4\` → \`5.6.0\` | 2 d | \`GitHub Actions\` (trusted publisher) | nothing | valid \`github.com/jaredwray/keyv\` | **hold** until 2026\\-11\\-24T09:10Z<br>\`young-release\`: published 2 d ago |
| + | \`calm\` \`1.0.0\` (dev) | 347 d | ? | nothing | absent | nothing |

| Now part of a production install |
| --- |
| \`was-dev@1.0.0\` |

| Removed |
| --- |
| \`gone@1.0.0\` |
`);
});

test("below the changes: the findings that are new, and what could not be checked", () => {
  const comment = changeMarkdown([changed()], { ...checkReport(), findings: [MALWARE, EXCEPTED] });
  expect(comment.startsWith(changeMarkdown([changed()]))).toBe(true);
  const rest = comment.slice(changeMarkdown([changed()]).length);
  expect(rest).toContain("| **critical** | `malware-report`<br>");
  expect(rest).toContain("### Not checked\n\n- signatures could not run");
  expect(rest).not.toContain("JSONStream");
});

test("a change of nothing is one line, and a change of everything fits a comment and says what is left out", () => {
  const none = changed({
    added: [],
    moved: [],
    removed: [],
    changed: [],
    promoted: [],
    summary: { fresh: 0, withheld: 0, known: 0, notChecked: 0 },
  });
  expect(changeMarkdown([none])).toContain("`package-lock.json`: no change since `origin/main`.");
  const removed = Array.from({ length: 4_000 }, (_, index) => ({ name: `package-${index}`, version: "1.0.0" }));
  const added = removed.map((one) => ({ ...KEYV, ...one }));
  const whole = changed({ added, removed, promoted: removed });
  const findings = Array.from({ length: 4_000 }, (_, index) => finding({ version: `1.0.${index}` }));
  for (const lockfiles of [1, 3, 500]) {
    const report = checkReport({
      findings,
      notChecked: findings.map(() => ({ check: "age", reason: "nobody answers", packages: 1, required: true })),
    });
    const comment = changeMarkdown(
      Array.from({ length: lockfiles }, () => whole),
      report,
    );
    expect(comment.length).toBeLessThan(LIMITS.commentChars);
    expect(comment).toMatch(/… and 3,\d{3} more/);
  }
  expect(
    markdownOf(checkReport({ findings: [...findings, ...findings.map((one) => ({ ...one, excepted: EXCEPTED.excepted! }))] })).length,
  ).toBeLessThan(LIMITS.summaryChars);
});

/** What GitHub would read as markup: without code, escapes and what is ours. From left to right, for an escape is none in code. */
function markupIn(text: string): string {
  return text.replace(/\\[!-/:-@[-`{-~]|`[^`]*`|<!-- -->|<\/?code>|&(?:amp|lt|gt);/g, "\u0001");
}

test("no text becomes a link, a mention, a reference, HTML, a cell or a line", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      for (const written of [code(text), prose(text)]) {
        expect(written).not.toMatch(/[\n\r]/);
        expect(markupIn(written)).not.toMatch(/[<>&|*_[\]`\\]|@\w|#\d|:\/\/|\bwww\./i);
      }
    }),
    { numRuns: 500 },
  );
});

test("hostile reports keep their tables: each row has the cells of its head", () => {
  fc.assert(
    fc.property(hostileReport, ({ report }) => {
      const written = markdownOf(report);
      expect(written).toBe(markdownOf(report));
      const rows = written.split("\n").filter((line) => line.startsWith("| "));
      const cells = rows.map((row) => markupIn(row).split("|").length);
      for (const count of cells) expect([6, 7]).toContain(count);
      expect(rows.length).toBeGreaterThanOrEqual(report.findings.length);
    }),
  );
});
