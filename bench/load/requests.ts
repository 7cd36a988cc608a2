/**
 * The requests that the load generator writes, as text.
 *
 * @module
 */

/** What every scenario writes: plain text, so that servers send it over SSE without base64. */
export const CONTENT_TYPE = "text/plain";

/** `PUT`: creates an empty stream. */
export function createRequest(path: string): string {
  return `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${CONTENT_TYPE}\r\n` +
    `Content-Length: 0\r\n\r\n`;
}

/** `POST`: appends ASCII text. */
export function appendRequest(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${CONTENT_TYPE}\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** `GET` with a query such as `offset=-1`. */
export function readRequest(path: string, query: string): string {
  return `GET ${path}?${query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
}
