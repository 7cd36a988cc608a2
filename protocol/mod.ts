/**
 * What the server and its clients agree upon: names of headers, offsets, error codes, and how paths
 * and queries are read. Pure: it imports no other room and touches nothing outside itself.
 *
 * @module
 */

export * from "./admin.ts";
export * from "./batch.ts";
export * from "./decimal.ts";
export * from "./errors.ts";
export * from "./headers.ts";
export * from "./names.ts";
export * from "./offset.ts";
export * from "./path.ts";
export * from "./query.ts";
