/**
 * Who may do what on the planes that speak HTTP (SPEC section 13).
 *
 * A plane with a {@linkcode Gate} asks it who sends a request, and {@linkcode refusalOf} whether that
 * is enough for what the request needs:
 *
 * ```text
 * Authorization ─► gate.identify ─► visitor ─┐
 * method, route ─► needsOf ───────► needs ───┴─► refusalOf ─► 401, 403, or nothing: go on
 * ```
 *
 * The admin plane asks {@linkcode adminRefusal} for every route but health. A plane without a gate lets everybody
 * do everything.
 *
 * @module
 */

export { AuthFileError } from "./fields.ts";
export { coversBucket, type Credentials, type Scope } from "./credentials.ts";
export { ADMIN_NEED, allowed, type Decision, type Need, needsOf } from "./decision.ts";
export { adminRefusal, type AuthTexts, Gate, refusalOf, type Visitor } from "./gate.ts";
export { AuthWatch, readAuthTexts } from "./source.ts";
