/**
 * Something between ursulactl and a node that spoils answers.
 *
 * @module
 */

/** Answers a request; `pass` sends it on. */
export type Spoil = (request: Request, pass: () => Promise<Response>) => Promise<Response>;

/** See the module's page. */
export class Front implements AsyncDisposable {
  readonly url: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(target: string, spoil: Spoil) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const { pathname, search } = new URL(request.url);
      const { method, headers, body } = request;
      const init = { method, headers, body, redirect: "manual" } as const;
      return spoil(request, () => fetch(target + pathname + search, init));
    });
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** An address at which nobody answers. */
export function deadUrl(): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return `http://127.0.0.1:${port}`;
}

/** The answer, whose body breaks off after so many bytes. */
export async function brokenOff(response: Response, afterBytes: number): Promise<Response> {
  const whole = new Uint8Array(await response.arrayBuffer());
  let isSent = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (isSent) return controller.error(new Error("broken off"));
      controller.enqueue(whole.subarray(0, afterBytes));
      isSent = true;
    },
  });
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  headers.delete("content-encoding");
  return new Response(body, { status: response.status, headers });
}
