/** A command it installs is new, or runs another file: npx and everybody's scripts run it by its name. */
import type { Release } from "../npm/release.ts";
import { baselineOf } from "./baseline.ts";
import type { Check } from "./check.ts";

export const binChanged: Check = ({ facts: { release, version } }) => {
  const [before] = release ? baselineOf(version, release) : [];
  if (!release || !before) return undefined;
  const [old, own] = [filesOf(before.release), filesOf(release.own)];
  const changes = [...own].flatMap(([command, file]) => {
    const was = old.get(command);
    if (was === file) return [];
    return was === undefined
      ? `it adds the command ${command}, which runs ${file}`
      : `its command ${command} runs ${file} now, before ${was}`;
  });
  if (changes.length === 0) return undefined;
  return {
    id: "bin-changed",
    effect: { kind: "note" },
    title: changes.length === 1 ? changes[0]! : `${changes.length} of its commands are new or run another file`,
    evidence: changes.map((text) => ({ text: `${text}; compared with ${before.version}`, source: "registry" })),
  };
};

/** Command → file, without the `./` that npm takes away. */
function filesOf({ bin }: Release): ReadonlyMap<string, string> {
  return new Map(Object.entries(bin ?? {}).map(([command, file]) => [command, file.replace(/^(?:\.?\/)+/, "")]));
}
