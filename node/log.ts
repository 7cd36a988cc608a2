/** How loud a line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** What a line says beside its message, for machines to look for. */
export type LogFields = Readonly<Record<string, string | number>>;

/** Takes lines; what is below its level is dropped. */
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;

/**
 * A log of one line per event. As JSON, each line is an object with `time`, `level` and `message`,
 * and with `fields` where there are any.
 *
 * @param write takes a whole line, its end included
 * @param wallMs for the time stamp
 */
export function createLog(
  options: { level: LogLevel; format: "text" | "json" },
  write: (line: string) => void,
  wallMs: () => number,
): Log {
  const least = LEVELS.indexOf(options.level);
  return (level, message, fields) => {
    if (LEVELS.indexOf(level) < least) return;
    const time = new Date(wallMs()).toISOString();
    const oneLine = message.replace(/\s*\n\s*/g, " | ");
    if (options.format === "json") {
      write(JSON.stringify({ time, level, message: oneLine, fields }) + "\n");
    } else {
      write(`${time} ${level.padEnd(5)} ${printable(oneLine)}${textOf(fields)}\n`);
    }
  };
}

/** ` name=value` for each; a value that is more than a word stands in quotes. */
function textOf(fields: LogFields | undefined): string {
  if (fields === undefined) return "";
  return Object.entries(fields).map(([name, value]) => {
    const text = printable(String(value));
    return ` ${name}=${/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)}`;
  }).join("");
}

/** What came from elsewhere must neither break the line nor command the terminal that shows it. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
