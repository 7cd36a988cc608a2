/**
 * Creates streams and fills them, many at a time.
 *
 * @module
 */

import { ResponseReader } from "./http_response.ts";
import { close, connect, Poller, receive, sendText } from "./libc.ts";

const CONNECTIONS = 32;
const PIPELINED = 8;

/** One connection and what it still has to ask. */
interface Lane {
  reader: ResponseReader;
  inFlight: number;
}

/**
 * Sends `count` requests and waits for all their answers. The order in which a server takes them is
 * its own affair, so nothing may depend on it.
 *
 * @param requestOf the request of each number from 0
 * @throws {Error} when an answer is not 2xx
 */
export function sendAll(port: number, count: number, requestOf: (n: number) => string): void {
  const poller = new Poller();
  const buffer = new Uint8Array(1 << 16);
  const lanes = new Map<number, Lane>();
  let next = 0;
  let done = 0;

  const refill = (fd: number, lane: Lane) => {
    let text = "";
    while (lane.inFlight < PIPELINED && next < count) {
      text += requestOf(next++);
      lane.inFlight++;
    }
    if (text !== "") sendText(fd, text);
  };

  for (let i = 0; i < Math.min(CONNECTIONS, count); i++) {
    const fd = connect(port);
    const lane: Lane = {
      inFlight: 0,
      reader: new ResponseReader({
        onHead(status, head) {
          if (status >= 300) throw new Error(`the server answered ${head.slice(0, 200)}`);
        },
        onBody() {},
        onEnd() {
          lane.inFlight--;
          done++;
        },
      }),
    };
    lanes.set(fd, lane);
    poller.add(fd);
    refill(fd, lane);
  }
  while (done < count) {
    const ready = poller.wait(10_000);
    if (ready === 0) throw new Error(`no answer for 10 s, ${done} of ${count} done`);
    for (let i = 0; i < ready; i++) {
      const fd = poller.ready(i);
      const lane = lanes.get(fd);
      const length = receive(fd, buffer);
      if (length === 0) throw new Error("the server closed a connection");
      if (length < 0 || lane === undefined) continue;
      lane.reader.feed(buffer, length);
      refill(fd, lane);
    }
  }
  for (const fd of lanes.keys()) close(fd);
  poller.close();
}
