/** Adds a feed to the text of a cordon.yaml and takes one out of it. Comments and everything else stay. */
import { type Document, isMap, isSeq, parseDocument, type YAMLSeq } from "yaml";
import { Fault } from "../base/fault.ts";

export type NewFeed = {
  readonly name: string;
  /** One of the two. */
  readonly url?: string;
  readonly path?: string;
  readonly kind?: "osv" | "list";
};

/** `text` undefined: there is no file yet. Raises CONFIG_INVALID when it cannot be edited, USAGE when the name is taken. */
export function addFeed(text: string | undefined, feed: NewFeed, source: string): string {
  const document = parsed(text ?? "", source);
  const feeds = feedsIn(document, source) ?? document.createNode([]);
  if (placeOf(feeds, feed.name) >= 0) throw new Fault("USAGE", `${source} has a feed called ${feed.name} already`);
  const node = document.createNode(feed);
  node.flow = true;
  feeds.flow = false;
  feeds.items.push(node);
  if (!document.has("feeds")) document.set("feeds", feeds);
  return written(document);
}

/** Raises CONFIG_INVALID when it cannot be edited, USAGE when there is no such feed. */
export function removeFeed(text: string | undefined, name: string, source: string): string {
  const document = parsed(text ?? "", source);
  const feeds = feedsIn(document, source);
  const at = feeds ? placeOf(feeds, name) : -1;
  if (!feeds || at < 0) throw new Fault("USAGE", `${source} has no feed called ${JSON.stringify(name)}`);
  feeds.items.splice(at, 1);
  if (feeds.items.length === 0) {
    // The key stays: a comment above it may be of the whole file. One above the last feed was of that feed.
    feeds.flow = true;
    feeds.commentBefore = null;
  }
  return written(document);
}

function parsed(text: string, source: string): Document {
  const document = parseDocument(text, { version: "1.2", schema: "core", strict: true, uniqueKeys: true, prettyErrors: false });
  const [error] = document.errors;
  if (error) throw new Fault("CONFIG_INVALID", `${source}: ${error.message}`);
  if (document.contents !== null && !isMap(document.contents)) throw new Fault("CONFIG_INVALID", `${source} is no mapping of settings`);
  return document;
}

function feedsIn(document: Document, source: string): YAMLSeq | undefined {
  const feeds = document.get("feeds", true);
  if (feeds === undefined) return undefined;
  if (!isSeq(feeds)) throw new Fault("CONFIG_INVALID", `${source}: feeds is no list`);
  return feeds;
}

function placeOf(feeds: YAMLSeq, name: string): number {
  return feeds.items.findIndex((item) => isMap(item) && item.get("name") === name);
}

function written(document: Document): string {
  return document.toString({ lineWidth: 0 });
}
