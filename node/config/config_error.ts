/** A configuration that can't be used; the message is one line for a person. */
export class ConfigError extends Error {
  /** An error that says what was wrong and what would be right. @param message one line */
  constructor(message: string) {
    super(message);
    this.name = "ConfigError";
  }
}
