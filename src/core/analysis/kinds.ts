/** What a file in a package is: by its first bytes, then by its name. */
import type { FileKind } from "./report.ts";

const BY_EXTENSION: Readonly<Record<string, FileKind>> = {
  js: "js",
  cjs: "js",
  mjs: "js",
  jsx: "js",
  ts: "ts",
  cts: "ts",
  mts: "ts",
  tsx: "ts",
  json: "json",
  gyp: "gyp",
  gypi: "gyp",
  sh: "shell",
  bash: "shell",
  zsh: "shell",
  fish: "shell",
  bat: "shell",
  cmd: "shell",
  ps1: "shell",
  py: "shell",
  rb: "shell",
  node: "native",
  exe: "native",
  dll: "native",
  so: "native",
  dylib: "native",
  md: "text",
  txt: "text",
  css: "text",
  html: "text",
  yml: "text",
  yaml: "text",
};

export function kindOf(path: string, bytes: Uint8Array): FileKind {
  if (isMachineCode(bytes)) return "native";
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const dot = name.lastIndexOf(".");
  const known = dot < 0 ? undefined : BY_EXTENSION[name.slice(dot + 1)];
  if (known !== undefined) return known;
  // "#!": the first line names the program.
  if (bytes[0] !== 0x23 || bytes[1] !== 0x21) return "other";
  const first = String.fromCharCode(...bytes.subarray(0, 100)).split("\n")[0]!;
  return /\b(?:node|bun|deno)\b/.test(first) ? "js" : "shell";
}

/** Declarations are never run. */
export function isDeclaration(path: string): boolean {
  return /\.d\.[cm]?ts$/.test(path);
}

function isMachineCode(bytes: Uint8Array): boolean {
  if (bytes.length < 64) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (view.getUint32(0)) {
    // ELF
    case 0x7f454c46:
    // Mach-O, both orders, 32 and 64 bits
    case 0xfeedface:
    case 0xfeedfacf:
    case 0xcefaedfe:
    case 0xcffaedfe:
      return true;
    // A Mach-O for several machines, unless it is a Java class, which begins alike but with a version above 40.
    case 0xcafebabe:
      return view.getUint32(4) < 40;
  }
  // PE: "MZ", and where the header says, "PE".
  if (view.getUint16(0) !== 0x4d5a) return false;
  const header = view.getUint32(60, true);
  return header + 4 <= bytes.length && view.getUint32(header) === 0x50450000;
}
