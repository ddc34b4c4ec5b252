/**
 * Every ceiling on what comes from outside: sizes in bytes, counts, depths, and waits in milliseconds.
 * One place, so that a reviewer can see them all. Each line says why the figure is what it is.
 */
import { DAY, HOUR, MINUTE, SECOND } from "./time.ts";

export const LIMITS = {
  /** Decoded packument. The largest real one measured is 21 MB; ten times that is an attack or a mistake. */
  packumentBytes: 200_000_000,
  /** Versions in one packument. The largest real one measured has 3,478. */
  packumentVersions: 50_000,
  /** Dist-tags in one packument; some projects tag every canary. */
  packumentTags: 5_000,
  /** One version's manifest inside a packument. */
  manifestBytes: 2_000_000,
  /** Nesting of any JSON from outside; a manifest that is deeper is withheld, any other part of a packument is left out. */
  jsonDepth: 200,
  /** Different keys of one JSON object; five times the versions a packument may list. */
  jsonKeys: 250_000,
  /** Problems kept of one scanned document; the first ones say enough, and a hostile document can hold millions. */
  jsonProblems: 100,
  /** A package name: npm's own ceiling for new names; no longer one is known to be in use. */
  nameChars: 214,
  /** A version, a dist-tag or a tarball's file name: node-semver reads no version longer than 256. */
  versionChars: 256,
  /** A spec such as `name@>=1 <2 || 3`, as a person or a URL gives it. */
  specChars: 1_000,
  /** A deprecation text as kept for people; clients get it whole. */
  deprecationChars: 2_000,
  /** How long after its publish a version's release is kept in detail: the longest horizon of a rule is 90 days, and readings lag. */
  releaseMs: 100 * DAY,
  /** Releases of one package kept in detail, newest first: the busiest packages publish one a day. */
  releases: 128,
  /** Publishers whose releases are remembered across packages, and packages whose entries were noted; the longest unheard of goes first. */
  publishersKept: 20_000,
  /** Releases remembered of one of them, newest first: a worm's wave is some hundred packages. */
  publishesKept: 500,
  /** Versions that ride along with the early fixes of one package; the largest monorepos pin a hundred siblings. */
  ridesPerPackage: 500,
  /** One install script of it; the longest real ones are a few lines. */
  scriptChars: 4_000,
  /** Any other text of it: a spec, a URL, a signature. */
  releaseTextChars: 1_000,
  /** Entries of one of its maps, e.g. dependencies; the largest real ones have a few hundred. */
  releaseEntries: 1_000,
  /** Signatures of one version; the registry writes one, and two while it changes keys. */
  releaseSignatures: 8,
  /** Attestations of one version, all bundles together; real ones have 30 kB and two entries. */
  attestationsBytes: 5_000_000,
  attestations: 16,
  /** Why one of them does not hold, as kept. */
  attestationReasonChars: 300,
  /** A Sigstore trusted root or a list of registry keys; real ones have 10 kB and four keys. */
  trustBytes: 1_000_000,
  trustKeys: 100,
  /** Documents of a TUF repository; Sigstore's largest has 10 kB. The figures are those of the clients that read the same repository. */
  tufRootBytes: 512_000,
  tufTimestampBytes: 16_384,
  tufSnapshotBytes: 2_000_000,
  tufTargetsBytes: 5_000_000,
  /** Roots that follow one another in one refresh; Sigstore writes three a year. */
  tufRotations: 256,
  /** Keys, signatures and hashes of one such document; Sigstore has five keyholders. */
  tufKeys: 100,
  /** Delegations, path patterns of each, and files that one document lists; Sigstore has one delegation and a dozen files. */
  tufRoles: 1_000,
  tufPaths: 1_000,
  tufFiles: 10_000,
  /** Delegated documents read in search of one file. */
  tufVisits: 32,
  /** A key, an id or a pattern in such a document: the PEM of a large RSA key has under 1,000. */
  tufTextChars: 10_000,
  /** One file of the repository, and all of a refresh: a dozen small files. */
  tufFileMs: 30 * SECOND,
  tufMs: 2 * MINUTE,
  /** Documents up to this size are read and rendered on the main thread: 2 to 4 ms each, measured warm. */
  packumentInPlaceBytes: 300_000,
  /** Documents kept with their index for the next render, on the main thread and in the worker. The newest one is kept whatever its size. */
  packumentMemoryBytes: 2_000_000,
  packumentWorkerMemoryBytes: 12_000_000,
  /** One document's work in the worker; the largest real one takes under one second. */
  packumentWorkMs: 30 * SECOND,
  /** The worker ends when nobody needed it for this long: its heap alone was 50 MB, measured over 944 packuments. */
  packumentWorkerIdleMs: 2 * SECOND,
  /** JavaScript heap of the worker, in MB; raw documents are not part of it. */
  packumentWorkerHeapMb: 512,
  /** One message between the gate and the process its threads live in: the largest document there may be, and some. */
  workshopFrameBytes: 250_000_000,
  /** Compressed tarball; the registry's own ceiling is not published, the largest well-known one is about 200 MB. */
  tarballBytes: 1_000_000_000,
  /** Up to this size the digest is verified before the first byte of the answer; above it the tail is held back. */
  tarballBufferBytes: 8_000_000,
  /** Bytes held back at the end of a larger tarball until its digest is known. */
  tarballTailBytes: 256_000,
  /** What one tarball may unpack to; the largest packages in wide use (compilers with their binaries) stay under 250 MB. */
  archiveUnpackedBytes: 512_000_000,
  /** Unpacked to compressed, from a size where it matters; the strongest of 1,381 real ones is 12, deflate's own limit 1,032. */
  archiveRatio: 200,
  archiveRatioBytes: 16_000_000,
  /** Headers in one tarball; icon sets have 30,000 files. */
  archiveEntries: 150_000,
  /** gzip members read on before giving up; one is normal. */
  archiveMembers: 100,
  /** Problems kept of one archive; the first ones say enough. */
  archiveProblems: 100,
  /** A path in a tarball, and its folders. */
  archivePathChars: 1_000,
  archivePathDepth: 100,
  /** JavaScript or TypeScript read to a syntax tree; the largest ordinary file measured (a bundled pnpm) has 16 MB. Larger ones are searched as text. */
  sourceBytes: 20_000_000,
  /** Source read to trees in one tarball; compilers and icon sets stay below. What is beyond is searched as text and said. */
  sourceTotalBytes: 150_000_000,
  /** Text searched in one file that has no tree. */
  textBytes: 20_000_000,
  /** Nodes of one file's tree that are walked; 9 MB of bundle have 2 million. */
  nodesPerFile: 8_000_000,
  /** Steps spent on putting constants together in one file; a file of constants alone needs one or two for each. */
  foldSteps: 400_000,
  /** The longest text put together: hidden names and addresses are short, and constants of constants could double without end. */
  foldedChars: 20_000,
  /** A string of one encoding's letters from which it is a blob: longer than any digest, key or certificate line. */
  blobChars: 2_000,
  /** Sights of one capability in one file that are compared by distance. */
  sightsPerCapability: 200,
  /** Places shown for one capability: a person looks at the first. */
  placesPerCapability: 3,
  /** Characters of code shown for each place: one line of a terminal and a half. */
  placeChars: 160,
  /** Chains of one file; there are fewer kinds than that which anybody would read. */
  chainsPerFile: 30,
  /** Relative imports and imported names kept of one file; the index files of icon sets have thousands. */
  linksPerFile: 5_000,
  /** Hosts kept of one file; lists of public suffixes are data, not code. */
  hostsPerFile: 200,
  /** Hosts kept of one tarball: reports stay small. */
  hostsPerTarball: 1_000,
  /** Files that could not be read, kept of one tarball: reports stay small. */
  unreadPerTarball: 200,
  /** Declared dependencies searched for by name in a tarball's files; more are bundles of everything. */
  unmentionedNames: 200,
  /** Bytes times names in that search: about a second. */
  unmentionedBytes: 2_000_000_000,
  /** New hosts and new binaries shown of one version. */
  differencesShown: 20,
  /** Files, hosts and binaries listed of one comparison that somebody asked for; more are counted. */
  listedDifferences: 200,
  /** Bytes of a text compared line by line, and lines shown of it: what a person reads, and a comparison that ends at once. */
  textDiffBytes: 500_000,
  textDiffLines: 2_000,
  /** Files from this size are announced before they are read, so that the one that ends a thread is known. */
  announcedBytes: 8_000,
  /** Threads that read tarballs: one package in two does not wait for the other, and the rest of the machine serves. */
  tarballThreads: 2,
  /** One tarball in a thread; the slowest ordinary one measured takes 3 s on a busy machine. */
  tarballWorkMs: MINUTE,
  /** JavaScript heap of such a thread, in MB: the tree of a bundled pnpm needs 400, 256 end there (measured); bytes are not part of it. */
  tarballWorkerHeapMb: 512,
  /** What is new of it: with 48 and less, trees are moved about while they are read, which takes 1.7 times the CPU time (measured: 70 MB more). */
  tarballWorkerYoungMb: 64,
  /** Stack of such a thread, in MB: generated code nests deeper than the default lets a parser follow. */
  tarballWorkerStackMb: 4,
  /** Files of one tarball that may end a thread before the whole is given up. */
  tarballRetries: 3,
  /** Scripts of package.json that install scripts call, one calling the next; a dozen is much. */
  installCommands: 50,
  /** Characters of one script in package.json that are looked at. */
  installCommandChars: 20_000,
  /** Body a client may send us: the bulk audit list of a very large project is under 2 MB. */
  requestBytes: 20_000_000,
  /** Entries of one question to `/-/cordon/decide`: the largest lockfile measured has 20,000, and each costs a judgement. */
  decideEntries: 50_000,
  /** Names in one audit request, each counted once for each of its versions: more than any installed tree measured, and each costs a look. */
  auditNames: 50_000,
  /** A client that sends too much is let go of this long after it was told. */
  lingerMs: 2 * SECOND,
  /** Results of one search: each is judged, which costs its packument where it is not known. */
  searchResults: 25,
  /** A small upstream answer (keys, attestations, audit, search). */
  upstreamAnswerBytes: 50_000_000,
  /** Wait for a connection to an upstream or proxy, TLS included. */
  upstreamConnectMs: 10 * SECOND,
  /** Wait for an upstream's response headers. */
  upstreamHeadersMs: 30 * SECOND,
  /** Wait between two chunks of an upstream body. */
  upstreamIdleMs: 30 * SECOND,
  /** Whole transfer of one packument. */
  upstreamPackumentMs: 2 * MINUTE,
  /** Whole transfer of one tarball. */
  upstreamTarballMs: 15 * MINUTE,
  /** Tries of one upstream request, the first included. */
  upstreamTries: 3,
  /** First pause before a retry; doubled each time. */
  upstreamBackoffMs: 200,
  /** The longest Retry-After that is waited for; a client stands behind the request, so a longer one ends it. */
  upstreamRetryAfterMs: 10 * SECOND,
  /** Names in a row that got no answer before an upstream is left alone: one that is dead must not cost every client the full wait. */
  upstreamRestAfter: 3,
  /** How long it is left alone, and an answer from what is stored counts: short enough to notice that it is back. */
  upstreamRestMs: 10 * SECOND,
  /** Redirects followed for a tarball; none are followed for packuments. */
  tarballRedirects: 3,
  /** Upstream requests in flight from one gate. */
  upstreamInFlight: 64,
  /** Of these, the most that may be tarballs: a slow reader holds one for minutes, and packuments must still get through. */
  upstreamTarballsInFlight: 48,
  /** Gates a request may pass through; one that arrives with this count goes round in a circle. */
  gateHops: 4,
  /** Names fetched ahead for one answered packument, and how deep. */
  fetchAheadNames: 64,
  fetchAheadDepth: 2,
  /** Tag values remembered for one tag. */
  tagHistory: 50,
  /** Bytes of finished packuments held in memory. */
  hotCacheBytes: 48_000_000,
  /** Judgements held in memory, by a rough estimate of their size. */
  judgementCacheBytes: 8_000_000,
  /** Wait for in-flight answers after SIGTERM. */
  drainMs: 30 * SECOND,
  /** Wait, once the upstream and the threads have been closed, for what still depends on them. It has nothing left to wait for. */
  settleMs: 5 * SECOND,
  /** Ledger rows committed together: about 10 ms of work. Rows wait no longer than the commit before theirs. */
  ledgerGroupRows: 500,
  /** SQLite itself waits this long for another process, with the event loop standing still. */
  storeBlockMs: 25,
  /** Further waiting for a locked database, between which the process goes on; a commit takes a few milliseconds. */
  storeBusyMs: 10 * SECOND,
  /** The epoch of waivers, denies and freezes is looked at this often; a change must reach a running gate within a second. */
  epochPollMs: 250,
  /** Package records held in memory, as bytes of their stored form; parsed they take about three times as much. */
  recordCacheBytes: 8_000_000,
  /** Different projects remembered for one held version; the label is the client's claim. */
  heldProjects: 100,
  /** Ledger rows read in one step while exporting or verifying: about 10 ms of work. */
  ledgerPage: 1_000,
  /** Rows of one `ledger tail`. */
  ledgerTailRows: 10_000,
  /** Problems one `ledger verify` lists; a ledger with more is lost anyway. */
  ledgerProblems: 1_000,
  /** Verified tarballs remembered, so that they are not hashed on every read: about 400 bytes each. */
  verifiedBlobs: 50_000,
  /** A temporary file this old belongs to nobody. */
  temporaryFileMs: HOUR,
  /** A stored packument nobody read for this long is dropped; it can be fetched again. */
  documentIdleMs: 30 * DAY,
  /** A lockfile; the largest real one measured is 10.6 MB. */
  lockfileBytes: 100_000_000,
  /** Folders of one `cordon exposure`: a home with 200 projects has some 50,000 outside node_modules. */
  exposureFolders: 2_000_000,
  /** How deep a walk goes; file systems end at about this. */
  exposureDepth: 200,
  /** States of lockfiles read out of one repository's history; a busy one of ten years has 10,000. */
  historyBlobs: 20_000,
  /** Reading them all; each takes some 10 ms. */
  historyMs: 10 * MINUTE,
  /** Poisoned stretches told of one history; each asks git three times. */
  historySpans: 100,
  /** A document of a container image, all of them, and its layers: real ones have some kilobytes and at most 127. */
  imageDocumentBytes: 4_000_000,
  imageDocumentsBytes: 64_000_000,
  imageLayers: 1_000,
  /** One layer unpacked; more is no image anybody ships. */
  imageLayerBytes: 50_000_000_000,
  /** Sightings kept for one place; one who was hit a thousand times there needs no more. */
  exposureSightings: 5_000,
  /** What is missing at one place, told one by one. */
  exposureMissing: 200,
  /** One entry of a cache's index: npm's have 2 kB, and grow by as much each time a tarball is fetched anew. */
  cacheEntryBytes: 16_000_000,
  /** One log out of an archive; a CI job that writes more is cut by its host. */
  logBytes: 200_000_000,
  /** A line of a log; the end of a longer one is not read. */
  logLineChars: 20_000,
  /** Problems listed for one lockfile; a real one with 20,000 entries and no integrity at all stays below. */
  lockfileProblems: 25_000,
  /** A YAML lockfile that is not written as its client writes it goes to a general reader, which needs about 1 s per MB. */
  lockfileSlowYamlBytes: 8_000_000,
  /** A configuration file: npmrc, cordon.yaml, bunfig. */
  configBytes: 1_000_000,
  /** Incidents in one machine's report, and places in one incident: a home directory has hundreds. */
  fleetCells: 100_000,
  /** One machine's report of `cordon exposure --json`. */
  fleetReportBytes: 200_000_000,
  /** One question to git about a checkout; a person waits. */
  gitMs: 30 * SECOND,
  /** Laying out a checkout of its own for a branch of response; the largest repositories have half a million files. */
  gitCheckoutMs: 10 * MINUTE,
  /** Folders looked into for projects: a home directory with 200 projects has about 20,000 outside `node_modules`. */
  treeFolders: 500_000,
  /** How deep a tree of projects goes; file systems end at about 4,096 characters. */
  treeDepth: 64,
  /** Asking a client for its version or its global folder; npm needs half a second, a cold corepack some more. */
  clientProbeMs: 20 * SECOND,
  /** What it may answer. */
  clientProbeBytes: 64_000,
  /** One question to a gate, or to an upstream for its clock; a person waits. */
  gateLookMs: 5 * SECOND,
  /** One trial install by `cordon doctor`: the slowest client takes 2 s, a busy machine ten times that. */
  trialMs: MINUTE,
  /** Output of a trial that is kept; the reason of a failure stands in its last lines. */
  trialOutputBytes: 64_000,
  /** A file a configuration names and a client cannot start without; yarn itself is 3 MB. */
  trialFileBytes: 20_000_000,
  /** Clocks that differ by more are told: holds are counted in hours, clients' own age gates in minutes. */
  clockSkewMs: 2 * MINUTE,
  /** Files looked at while reading an installed tree. */
  installedEntries: 500_000,
  /** Text of one reason phrase, header or notice. */
  phraseChars: 200,
  /** What was found about bytes is kept for this many tarballs and releases: years of a busy gate. */
  evidenceRows: 200_000,
  /** One report unpacked; the largest measured, of a package of 30,000 files, has 9 MB. */
  evidenceBytes: 64_000_000,
  /** Findings kept in memory: some kilobytes each, for the young versions of the packages in use. */
  evidenceMemoryBytes: 8_000_000,
  /** Larger tarballs are not analysed, which is said and holds young versions. The largest of 1,000 ordinary ones has 27 MB. */
  inspectedTarballBytes: 64_000_000,
  /** How long a client waits for a look at a young version, its turn included; then it is a hold, and the look goes on. Clients wait five minutes. */
  inspectionMs: 120_000,
  /** Looks at the same time, each with two tarballs in memory; while some are fetched others are read. */
  inspectionsAtOnce: 4,
  /** Looks that wait for their turn; one that is left out is taken when somebody asks for the version. */
  inspectionQueue: 2_000,
  /** The longest a waiver, freeze or monitor mode may last. */
  waiverMs: 90 * DAY,
  /** Longest life of an exception to a finding: what nobody has looked at for a year nobody knows. */
  checkExceptionMs: 365 * DAY,
  /** A waiver nobody needed for this long is dead. */
  waiverUnusedMs: 30 * DAY,
  /** Name patterns in one list of a policy, and the length of an owner or a reason. */
  policyPatterns: 10_000,
  policyTextChars: 500,
  /** Versions looked at to see whether one version's dependencies can be installed; a young set that large is not natural. */
  dependencyWalk: 2_000,
  /** Two absences at least this far apart count as gone. */
  absenceMs: 10 * MINUTE,
  /** An answer may come from a cache this old: a publish time that precedes our last look by less contradicts nothing. */
  replicaLagMs: 10 * MINUTE,
  /** How long what was served is asked about again: what is taken back for malware is taken back within this. */
  servedWatchMs: 30 * DAY,
  /** Packages asked about again, those served last first, and in one minute: a conditional request each. */
  servedWatchNames: 20_000,
  servedWatchAsked: 500,
  /** A document older than the newest one is ignored as a lagging replica's, but not for longer than this. */
  laggingMs: DAY,
  /** A version first seen at least this long ago may be served before its tarball was analysed. */
  matureMs: 14 * DAY,
  /** A connection through the guard that carries nothing. */
  guardIdleMs: HOUR,
  /** A connection through the guard of which one side has ended and the other carries nothing. */
  guardHalfOpenMs: 30 * SECOND,
  /** One advisory record; the largest real one measured is below 1 MB. */
  advisoryBytes: 5_000_000,
  /** Packages one advisory names. A worm's list has hundreds. */
  advisoryAffected: 10_000,
  /** Exact versions of one package in one advisory; as many as a packument may list. */
  advisoryVersions: 50_000,
  /** Ranges of one package, events of one range, aliases of one record: the largest real ones have a dozen. */
  advisoryRanges: 1_000,
  advisoryEvents: 1_000,
  advisoryAliases: 200,
  /** Characters of one VEX document, its statements, and the products of one: a vendor's file for a whole catalogue has some thousands. */
  vexChars: 20_000_000,
  vexStatements: 50_000,
  vexProducts: 10_000,
  /** Characters of one SBOM, and its packages: five times the largest lockfile measured. */
  sbomChars: 200_000_000,
  sbomPackages: 100_000,
  /** Problems listed for one SBOM; the first say enough. */
  sbomProblems: 1_000,
  /** Characters of a comment on a pull request: GitHub takes 65,536, GitLab more. */
  commentChars: 60_000,
  /** Characters of a job summary: GitHub takes 1 MiB, and a character of ours is at most three bytes in practice. */
  summaryChars: 300_000,
  /** One transfer of a feed, and what it may unpack to; all malware records for npm packed are below 200 MB. */
  feedBytes: 2_000_000_000,
  /** Records or files of one feed; four times what is known to exist. */
  feedRecords: 1_000_000,
  /** Whole transfer of one feed. */
  feedMs: 15 * MINUTE,
  /** One record by itself, and how many of them are fetched that way before the whole feed costs less. */
  feedRecordMs: 30_000,
  feedRecordsApart: 500,
  /** A feed that is one document, read at once: a list of our own, one JSON record or array. */
  feedDocumentBytes: 20_000_000,
  /** Redirects followed for a feed; its publisher chose the first address, and a mirror is common. */
  feedRedirects: 3,
  /** Feeds that may be configured. */
  feeds: 50,
  /** Targets of alerts: more are one webhook's business. */
  notifyTargets: 20,
  /** Alerts waiting for one target; while it fails the oldest are dropped, and that is logged. */
  notifyQueue: 200,
  /** One attempt to deliver an alert: a webhook that takes longer is down. */
  notifyMs: 10_000,
  /** Problems remembered of one feed; the first say enough. */
  feedProblems: 100,
  /** The index of advisories is looked at this often; a new one must reach a running gate within a second. */
  feedPollMs: 500,
  /** An index that was replaced stays open this long: a decision that began with it ends with it. */
  feedIndexRetiredMs: 60_000,
  /** Ids in one class of aliases. */
  advisoryClass: 50,
  /** Connections through one guard at a time; the busiest client measured opens 118. */
  guardConnections: 1_024,
  /** Refused attempts remembered one by one; more are only counted. */
  guardAttempts: 1_000,
  /** Names of secrets kept of one file; a file that names more is no file of secrets. */
  responseSecrets: 200,
  /** Events of one response: a plan has some hundred steps, and each is begun, ended and taken back a few times. */
  responseEvents: 100_000,
  /** Tokens of one account; a company's bot has some hundred. */
  accountTokens: 2_000,
  /** Pages they are listed on: npm shows ten on each. */
  tokenPages: 200,
  /** Lines a step of a response tells of what it found; a lockfile has some thousand entries, and most are as they should be. */
  responseFound: 1_000,
  /** Times an event of a response is written again because somebody else's came in between; a handful of people work on one. */
  responseAppends: 1_000,
  /** A plan or a journal of events, read back: every place with its evidence stands in it. */
  responseBytes: 100_000_000,
  /** One file copied as evidence: the largest images and logs are named and left where they are. */
  evidenceFileBytes: 200_000_000,
  /** Files copied as evidence in all; a poisoned package's own folder has a few hundred. */
  evidenceFiles: 10_000,
} as const;
