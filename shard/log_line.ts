export type { LineLevel, LogLine } from "../io/mod.ts";
