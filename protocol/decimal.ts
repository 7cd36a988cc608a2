/**
 * Whole numbers as the protocol writes them: digits alone.
 *
 * @module
 */

/**
 * The number that `text` spells in decimal digits, without sign, space, fraction, exponent or
 * leading zero (P§5.1, `Stream-TTL`); undefined where it does not, or above 2^53 - 1.
 */
export function parseDecimal(text: string): number | undefined {
  const length = text.length;
  if (length === 0 || length > 16) return undefined;
  if (length > 1 && text.charCodeAt(0) === 0x30) return undefined;
  let value = 0;
  for (let at = 0; at < length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}
