/** An entry whose payload is an encoded command; this room never looks into it. */
export const COMMAND_KIND = 1;
