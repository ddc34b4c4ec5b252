/** Where a command reads and writes. A command is a function of arguments, these streams and the world, and returns an exit status. */
import { styleText } from "node:util";
import { printable, redact } from "../../core/base/text.ts";

export type Io = {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  readonly stdinIsTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Asks a question on the terminal; undefined when there is none. */
  readonly ask: (question: string) => Promise<string | undefined>;
};

/** What every command accepts besides its own options. */
export type CommonFlags = {
  readonly json?: boolean;
  readonly data?: string;
  readonly config?: string;
  readonly upstream?: string;
  readonly offline?: boolean;
};

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

export type Paint = (style: Style, text: string) => string;

/** Colour only on a terminal and never with NO_COLOR. */
export function painter(io: Io, stream: "stdout" | "stderr"): Paint {
  const terminal = stream === "stdout" ? io.stdoutIsTerminal : io.stderrIsTerminal;
  const colour = terminal && (io.env["NO_COLOR"] ?? "") === "" && io.env["TERM"] !== "dumb";
  return (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
}

/** One JSON document on stdout, with its schema first. */
export function printJson(io: Io, schema: string, value: { readonly [key: string]: unknown }): void {
  io.stdout(`${JSON.stringify({ schema, ...value }, undefined, 2)}\n`);
}

/** A line that is rewritten while long work goes on; only on a terminal, always cleared. */
export function progress(io: Io): { show(text: string): void; clear(): void } {
  let shown = false;
  return {
    show(text) {
      if (!io.stderrIsTerminal) return;
      io.stderr(`\r\u001b[K${printable(text).slice(0, 100)}`);
      shown = true;
    },
    clear() {
      if (shown) io.stderr("\r\u001b[K");
      shown = false;
    },
  };
}

/** `2 d ago`-style columns: pads every cell but the last. */
export function columns(rows: readonly (readonly string[])[], indent = "  "): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) => `${indent}${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join("   ")}`.trimEnd())
    .join("\n");
}

/** Text from outside on its way to the terminal. */
export function safe(text: string): string {
  return printable(redact(text));
}
