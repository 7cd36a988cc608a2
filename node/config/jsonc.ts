/**
 * JSON with comments and trailing commas.
 *
 * @module
 */

/** Parses JSONC. Throws a `SyntaxError`, whose positions are those of the text as given. */
export function parseJsonc(text: string): unknown {
  return JSON.parse(blankTrailingCommas(blankComments(text)));
}

/** Either a whole string, or a comment; strings are matched to step over what they hold. */
const STRING_OR_COMMENT = /"(?:[^"\\]|\\[^])*"|\/\/[^\n]*|\/\*[^]*?\*\//g;
/** Either a whole string, or a comma after a value that only space parts from a closing bracket. */
const STRING_OR_TRAILING_COMMA = /"(?:[^"\\]|\\[^])*"|(?<=[^\s,[{]\s*),(?=\s*[\]}])/g;

function blankComments(text: string): string {
  return text.replace(
    STRING_OR_COMMENT,
    (match) => match.startsWith('"') ? match : match.replace(/[^\n]/g, " "),
  );
}

function blankTrailingCommas(text: string): string {
  return text.replace(STRING_OR_TRAILING_COMMA, (match) => match === "," ? " " : match);
}
