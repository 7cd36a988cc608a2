/** How loud a line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Takes lines; what is below its level is dropped. */
export type Log = (level: LogLevel, message: string) => void;

/**
 * A log of one line per event.
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
  return (level, message) => {
    if (LEVELS.indexOf(level) < least) return;
    const time = new Date(wallMs()).toISOString();
    const oneLine = message.replace(/\s*\n\s*/g, " | ");
    write(
      options.format === "json"
        ? JSON.stringify({ time, level, message: oneLine }) + "\n"
        : `${time} ${level.padEnd(5)} ${oneLine}\n`,
    );
  };
}
