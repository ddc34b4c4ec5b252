/** The commented cordon.yaml that `cordon policy init` writes: every setting with what it means and its default, all commented out. */
import { SETTING_PATHS, settingOf } from "./settings.ts";

/** `schema` is the path or URL of the JSON schema, for editors. */
export function policyTemplate(schema: string): string {
  const lines = [
    `# yaml-language-server: $schema=${schema}`,
    "# Every setting of cordon, at its default. Take the # away from a section and a key to set it.",
    "",
  ];
  let open: string | undefined;
  for (const path of SETTING_PATHS) {
    const { doc, fallback, example, projectMay } = settingOf(path);
    const [section, key] = path.includes(".") ? path.split(".") : [undefined, path];
    if (section !== open && section !== undefined) lines.push(`#${section}:`);
    open = section;
    const indent = section === undefined ? "" : "  ";
    lines.push(
      `${indent}# ${doc}${projectMay === "never" ? "" : projectMay === "set" ? " A project may set it." : " A project may tighten it."}`,
    );
    lines.push(`#${indent}${key}: ${fallback ?? example}`);
    if (fallback !== undefined && example !== undefined) lines.push(`${indent}# for example ${key}: ${example}`);
  }
  return `${lines.join("\n")}\n`;
}
