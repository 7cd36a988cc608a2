/**
 * Content types: compared by media type, kept as their creator spelled them (P§5.1).
 *
 * @module
 */

import { ownText } from "./text.ts";

/** What a stream without a content type has (SPEC section 3). */
export const DEFAULT_CONTENT_TYPE = "application/octet-stream";

/** Spellings that a group keeps once for all its streams; further ones cost each stream its own. */
const INTERNED_MAX = 1024;

/** A content type and what the state machine needs to know of it. */
export interface ContentType {
  /** As the stream's creator wrote it. */
  readonly text: string;
  /** `type/subtype` in lower case, without parameters. */
  readonly media: string;
  readonly json: boolean;
  /** `text/*`: reads are cut between code points. */
  readonly textual: boolean;
}

/** `type/subtype` in lower case, without parameters. */
export function mediaType(text: string): string {
  const semicolon = text.indexOf(";");
  return (semicolon < 0 ? text : text.slice(0, semicolon)).trim().toLowerCase();
}

/** Is it `application/json`? `+json` types are bytes: P§9.1 names that one type. */
export function isJson(text: string): boolean {
  return mediaType(text) === "application/json";
}

/** Do both name the same media type? */
export function sameMediaType(type: ContentType, text: string): boolean {
  return type.text === text || type.media === mediaType(text);
}

/** One object per spelling, shared by the streams of a group. */
export class ContentTypes {
  readonly #bySpelling = new Map<string, ContentType>();

  /** The content type spelled `text`. */
  get(text: string): ContentType {
    const known = this.#bySpelling.get(text);
    if (known !== undefined) return known;
    const own = ownText(text);
    const media = mediaType(own);
    const type: ContentType = {
      text: own,
      media,
      json: media === "application/json",
      textual: media.startsWith("text/"),
    };
    if (this.#bySpelling.size < INTERNED_MAX) this.#bySpelling.set(own, type);
    return type;
  }
}
