/** How loud a line is: what an operator should see to is a warning, and what is lost an error. */
export type LineLevel = "info" | "warn" | "error";

/** Takes lines for the operator, `info` unless told otherwise. */
export type LogLine = (line: string, level?: LineLevel) => void;
