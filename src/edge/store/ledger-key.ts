/** The Ed25519 key that signs ledger heads: `<data>/ledger.key`, for its owner only, created once whoever comes first. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { link, open, readFile, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "../../core/base/fault.ts";
import { syncDirectory } from "./driver.ts";

export function ledgerKeyPath(dataDir: string): string {
  return join(dataDir, "ledger.key");
}

/** The key, or undefined when there is none yet. Raises STORE_BROKEN when the file is there and no Ed25519 key. */
export async function readLedgerKey(path: string): Promise<KeyObject | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Fault("STORE_BROKEN", `${path} cannot be read`, error);
  }
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // Said below; the cause could quote the key.
  }
  throw new Fault("STORE_BROKEN", `${path} is no Ed25519 key`);
}

/** Reads the key or creates it. Of several processes that create one at once, all get the same. */
export async function loadLedgerKey(path: string): Promise<KeyObject> {
  const existing = await readLedgerKey(path);
  if (existing) return existing;
  const { privateKey } = generateKeyPairSync("ed25519");
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    const handle = await open(temporary, "wx", 0o600);
    await handle.writeFile(privateKey.export({ type: "pkcs8", format: "pem" }));
    await handle.sync();
    await handle.close();
    // A link, unlike a rename, never replaces the key of whoever was faster.
    await link(temporary, path).catch(unlessExists);
    await unlink(temporary);
    await syncDirectory(dirname(path));
  } catch (error) {
    throw new Fault("STORE_BROKEN", `cannot create ${path}`, error);
  }
  const key = await readLedgerKey(path);
  if (!key) throw new Fault("STORE_BROKEN", `${path} was removed while it was created`);
  return key;
}

function unlessExists(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}
