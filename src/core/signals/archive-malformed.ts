/** The tarball is made as no packer makes one: readers disagree about what is in it, or are harmed by it. */
import { printable } from "../base/text.ts";
import type { Check } from "./check.ts";
import { withinHorizon } from "./horizon.ts";

export const archiveMalformed: Check = ({ facts }) => {
  const { code } = facts;
  if (code?.state !== "done" || code.archive.length === 0) return undefined;
  return {
    id: "archive-malformed",
    effect: withinHorizon(facts, { kind: "review" }),
    title: "its tarball is made as no packer makes one",
    evidence: code.archive.map(({ problem, path }) => ({ text: problem, source: path === undefined ? "tarball" : printable(path) })),
  };
};
