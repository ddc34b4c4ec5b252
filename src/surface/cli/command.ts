/** The shape of every command file: `run` takes where to write, the world and the words after the command, and gives the exit status. */
import type { CommonFlags, Io } from "./io.ts";
import type { World } from "./world.ts";

export type CommandContext = { readonly io: Io; readonly world: World; readonly flags: CommonFlags };

export type Command = (context: CommandContext, args: readonly string[], options: Readonly<Record<string, unknown>>) => Promise<number>;
