/** What is looked at: a spec of the registry, or a tarball on this machine. */
import type { Subject } from "../../app/inspect.ts";
import type { World } from "./world.ts";

/** A path has an ending of a tarball, or begins like one; everything else is a spec. */
export async function subjectOf(world: Pick<World, "readTarball">, text: string): Promise<Subject> {
  const isPath = /\.(?:tgz|tar\.gz|tar)$/i.test(text) || /^(?:\.{0,2}\/|[A-Za-z]:\\)/.test(text);
  return isPath ? { file: text, bytes: await world.readTarball(text) } : text;
}
