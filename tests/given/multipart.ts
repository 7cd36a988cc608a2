/**
 * Reads `multipart/mixed` as somebody else does.
 *
 * @module
 */

import { Dicer } from "@fastify/busboy";
import { joined } from "./bytes.ts";

/** A part of a body. */
export interface Part {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** The parts of a body. @throws Error when it is not whole */
export function partsOf(contentType: string, bytes: Uint8Array): Promise<Part[]> {
  const boundary = /^multipart\/mixed; boundary=([0-9a-f]{32})$/.exec(contentType)?.[1];
  if (boundary === undefined) throw new Error(`no boundary in ${contentType}`);
  return new Promise((resolve, reject) => {
    const parts: Part[] = [];
    const dicer = new Dicer({ boundary });
    dicer.on("part", (stream: NodeJS.ReadableStream) => {
      let type = "";
      const pieces: Uint8Array[] = [];
      stream.on(
        "header",
        (header) => type = (header as { "content-type": string[] })["content-type"].join(),
      );
      stream.on("data", (piece: Uint8Array) => pieces.push(new Uint8Array(piece)));
      stream.on("error", reject);
      stream.on("end", () => parts.push({ contentType: type, bytes: joined(pieces) }));
    });
    dicer.on("error", reject);
    dicer.on("finish", () => resolve(parts));
    dicer.end(bytes);
  });
}
