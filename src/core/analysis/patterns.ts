/**
 * What strings give away. Every pattern is linear: no quantifier inside another, and repetitions are bounded where something follows them.
 * They are tried on string literals and on strings put together from pieces; where no tree could be made, on the text without comments.
 */
import type { CapabilityId } from "./capabilities.ts";

export type StringPattern = {
  readonly id: CapabilityId;
  /** What it reaches for; chains are told apart by it. */
  readonly what: string;
  readonly pattern: RegExp;
};

export const STRINGS: readonly StringPattern[] = [
  { id: "credentials", what: "ssh", pattern: /(?:^|[/\\~])\.ssh(?:[/\\]|$)|\bid_(?:rsa|ed25519|ecdsa)\b/ },
  { id: "credentials", what: "aws", pattern: /\.aws[/\\]?(?:$|credentials|config)/ },
  { id: "credentials", what: "cloud", pattern: /\.config[/\\]gcloud|application_default_credentials|\.azure[/\\]|accessTokens\.json/ },
  { id: "credentials", what: "metadata", pattern: /169\.254\.169\.254|169\.254\.170\.2|metadata\.google\.internal/ },
  { id: "credentials", what: "docker", pattern: /\.docker[/\\]config\.json/ },
  { id: "credentials", what: "kube", pattern: /\.kube[/\\]config|\/var\/run\/secrets\/kubernetes/ },
  { id: "credentials", what: "git", pattern: /\.git-credentials|(?:^|[/\\])[._]netrc$|\.config[/\\]gh[/\\]hosts/ },
  {
    id: "credentials",
    what: "browser",
    pattern: /\bLogin Data\b|[/\\]Local State\b|Local Extension Settings|logins\.json|key4\.db|cookies\.sqlite/,
  },
  { id: "credentials", what: "keychain", pattern: /login\.keychain|find-generic-password|dump-keychain|security find-internet-password/ },
  {
    id: "credentials",
    what: "wallet",
    pattern:
      /wallet\.dat\b|\.config[/\\]solana|[/\\]Exodus[/\\]|exodus\.wallet|\.electrum[/\\]|[Ee]thereum[/\\]keystore|Bitcoin[/\\]wallets|[/\\]Ledger Live\b|[/\\]@trezor[/\\]suite-desktop|[/\\]atomic[/\\]Local Storage|[/\\]Coinomi[/\\]|Monero[/\\]wallets|nkbihfbeogaeaoehlefnkodbefgpgknn|bfnaelmomeimhlpmgjnjophhpkkoljpa|hnfanknocfeofbddgcijnmhnfnkdnaad|ibnejdfjmmkpcnlpebklmnkoeoihofec/,
  },
  { id: "credentials", what: "history", pattern: /\.(?:bash|zsh)_history\b|ConsoleHost_history/ },
  { id: "credentials", what: "system", pattern: /\/etc\/(?:passwd|shadow)\b|\/proc\/(?:self|\d+)\/(?:environ|mem|maps)\b/ },
  { id: "credentials", what: "scanner", pattern: /\btrufflehog\b|gh auth token|gcloud auth print-access-token|\baws sts get-/ },
  { id: "npm-config", what: "npmrc", pattern: /(?:^|[/\\])\.npmrc$|_authToken\b/ },
  { id: "self-publish", what: "publish", pattern: /\b(?:npm|pnpm|yarn(?: npm)?|bun) publish\b/ },
  { id: "self-publish", what: "tokens", pattern: /\/-\/npm\/v1\/tokens|\/-\/npm\/v1\/user\b|\/-\/whoami\b|maintainer:[a-z$]/ },
  {
    id: "persistence",
    what: "agent",
    pattern: /\.claude[/\\]settings|\.cursor[/\\](?:rules|hooks|mcp)|\.cursorrules\b|\.gemini[/\\]settings/,
  },
  { id: "persistence", what: "editor", pattern: /\.vscode[/\\](?:tasks|launch)\b|folderOpen/ },
  { id: "persistence", what: "workflow", pattern: /\.github[/\\]workflows\b/ },
  { id: "persistence", what: "git-hook", pattern: /\.git[/\\]hooks\b|core\.hooksPath/ },
  { id: "persistence", what: "shell", pattern: /(?:^|[/\\~ ])\.(?:bashrc|zshrc|bash_profile|zprofile|zshenv)\b/ },
  {
    id: "persistence",
    what: "autostart",
    pattern:
      /Library[/\\]Launch(?:Agents|Daemons)|CurrentVersion\\{1,2}Run\b|schtasks\b|\.config[/\\]autostart|Start Menu[/\\]{1,2}Programs[/\\]{1,2}Startup/,
  },
  {
    id: "persistence",
    what: "service",
    pattern: /systemd[/\\](?:user|system)\b|\/etc\/cron|\bcrontab\b|systemctl (?:--user )?enable|launchctl (?:load|bootstrap)/,
  },
  {
    id: "agent-abuse",
    what: "flag",
    pattern: /--dangerously-(?:skip-permissions|bypass-approvals)|--trust-all-tools|(?:^|\bgemini )--yolo\b/,
  },
  { id: "alien-runtime", what: "bun", pattern: /bun\.sh\/install|oven-sh\/bun\/releases|deno\.land\/install|denoland\/deno\/releases/ },
  {
    id: "alien-runtime",
    what: "pipe",
    pattern: /\b(?:curl|wget)\b[^|\n]{1,200}\|\s{0,4}(?:sudo )?(?:ba|z|da)?sh\b|\b(?:curl|wget)\b[^|\n]{1,200}\|\s{0,4}(?:python3?|node)\b/,
  },
  {
    id: "alien-runtime",
    what: "script",
    pattern: /\b(?:curl|wget) [^\n]{0,300}(?:&&|;) ?(?:chmod|sh |bash |python|\.\/)/,
  },
  {
    id: "alien-runtime",
    what: "powershell",
    pattern:
      /powershell[^\n]{0,80} -(?:e|ec|enc|encodedcommand) |\biex\s?\(|Invoke-Expression|DownloadString\(|Invoke-WebRequest[^\n]{0,200}(?:Start-Process|;)/i,
  },
  { id: "alien-runtime", what: "applescript", pattern: /\bosascript\b/ },
  {
    id: "wallet",
    what: "address",
    pattern: /\\b0x\[a-fA-F0-9\]\{40\}|\[13\]\[a-km-zA-HJ-NP-Z|bc1\[a-z0-9\]|eth_sendTransaction|signAndSendTransaction/,
  },
  { id: "clipboard", what: "command", pattern: /\b(?:pbpaste|pbcopy|xclip|xsel|wl-paste|wl-copy|Get-Clipboard|Set-Clipboard)\b/ },
  {
    id: "destructive",
    what: "home",
    pattern:
      /\bfind "?(?:~|\$HOME|\$\{HOME\}|\/home|\/Users)"?\/? [^\n]{0,200}(?:-delete\b|\bshred\b|\brm )|\brimraf (?:~|\$HOME)(?=[\s"';*]|$)|rd \/s \/q "%USERPROFILE%|Remove-Item [^\n]{0,60}(?:\$env:USERPROFILE|\$HOME|~)(?=[\s"';*]|\\\*|$)/i,
  },
  {
    id: "destructive",
    what: "home",
    pattern:
      /\brm -[a-z]{1,4} (?:--no-preserve-root )?(?:~|\$HOME|"\$HOME|\/(?=[\s*"';]|$))|\bshred -[a-z]{1,8} |\bvssadmin delete|\bformat c:|rd \/s \/q (?:%USERPROFILE%|c:)|del \/[fsq] [^\n]{0,20}%USERPROFILE%|cipher \/w/i,
  },
  { id: "hidden-name", what: "charcodes", pattern: /^(?:\d{2,3},){40,}\d{2,3}$/ },
];

const ANY: readonly RegExp[] = ["", "i"].map((flags) => {
  const same = STRINGS.filter(({ pattern }) => pattern.flags === flags);
  return new RegExp(same.map(({ pattern }) => pattern.source).join("|"), flags);
});

/** The patterns that match a string: one search for most, which hold nothing of the kind. */
export function matching(text: string): readonly StringPattern[] {
  return ANY.some((any) => any.test(text)) ? STRINGS.filter(({ pattern }) => pattern.test(text)) : [];
}

/** Addresses that money can be sent to, one pattern for each kind of coin. */
export const ADDRESSES: readonly RegExp[] = [
  /^0x[0-9a-fA-F]{40}$/,
  /^(?:bc1|ltc1|addr1)[02-9ac-hj-np-z]{25,100}$|^bitcoincash:[qp][02-9ac-hj-np-z]{41}$/,
  /^[13LM][1-9A-HJ-NP-Za-km-z]{25,33}$/,
  /^T[1-9A-HJ-NP-Za-km-z]{33}$/,
];

/** Fewer are a donation link or the constants of one chain. */
export const ADDRESS_TABLE = { addresses: 5, kinds: 2 };

/** Hosts of URLs in strings. */
export const HOST = /\b(?:https?|wss?|ftp):\/\/(?:[^\s/@"'`]{1,100}@)?([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?![\w.-])/g;

/** Built-in modules and packages by what they let code do. */
export const MODULES: Readonly<Record<string, CapabilityId>> = Object.freeze({
  child_process: "process",
  cluster: "process",
  execa: "process",
  "cross-spawn": "process",
  shelljs: "process",
  zx: "process",
  "node-pty": "process",
  http: "network",
  https: "network",
  http2: "network",
  net: "network",
  tls: "network",
  dgram: "network",
  dns: "network",
  "dns/promises": "network",
  undici: "network",
  axios: "network",
  got: "network",
  "node-fetch": "network",
  "cross-fetch": "network",
  request: "network",
  superagent: "network",
  needle: "network",
  ws: "network",
  "socket.io-client": "network",
  phin: "network",
  nodemailer: "network",
  clipboardy: "clipboard",
});

/** Names that nobody has a reason to put together from pieces. */
export const HIDDEN: ReadonlySet<string> = new Set([
  "eval",
  "Function",
  "child_process",
  "node:child_process",
  "execSync",
  "spawnSync",
  "_compile",
  "runInThisContext",
  "mainModule",
  "base64",
  "fromCharCode",
]);

/** For text of which no tree is made: what the tree would have shown, roughly. */
export const CODE: readonly StringPattern[] = [
  {
    id: "dynamic-code",
    what: "eval",
    pattern: /(?<![\w$.])eval\s{0,4}\(|\bnew Function\s{0,4}\(|\brunIn(?:This|New)Context\s{0,4}\(|\._compile\s{0,4}\(/g,
  },
  {
    id: "network",
    what: "call",
    pattern: /(?<![\w$.])fetch\s{0,4}\(|\bnew (?:XMLHttpRequest|WebSocket|EventSource)\b|\bsendBeacon\s{0,4}\(/g,
  },
  { id: "decoder", what: "base64", pattern: /(?<![\w$.])atob\s{0,4}\(|\bBuffer\.from\([^()\n]{1,300},\s{0,4}["'](?:base64|hex)["']/g },
  { id: "decoder", what: "xor", pattern: /fromCharCode\([^()\n]{0,100}\^|charCodeAt\([^()\n]{0,60}\)\s{0,4}\^/g },
  { id: "env-harvest", what: "environment", pattern: /\bstringify\(\s{0,4}(?:\{[^{}]{0,200})?(?:\.\.\.)?process\.env\s{0,4}[,)}]/g },
  {
    id: "env-list",
    what: "environment",
    pattern: /Object\.(?:keys|entries|values)\(\s{0,4}process\.env\s{0,4}\)|\bin process\.env\s{0,4}\)/g,
  },
];

/** Imports in text of which no tree is made. */
export const IMPORT = /(?:\brequire\s{0,4}\(|\bimport\s{0,4}\(|\bfrom\b|\bimport\b)\s{0,4}["']([^"'\n]{1,300})["']/g;
