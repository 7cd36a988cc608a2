/**
 * How this server is started: as `deno task start` does it, whose flags are part of what is measured.
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };

const [program = "", ...args] = project.tasks.start.split(" ");

/** The program, and what precedes the server's own flags. */
export const START = { program, args } as const;
