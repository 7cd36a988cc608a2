/**
 * The program behind `bare.ts`.
 *
 * @module
 */

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]) }, async (request) => {
  await request.bytes();
  return new Response(null, { status: 204 });
});
