/**
 * Every bound of the peer plane: lengths in bytes, times in ms.
 *
 * @module
 */

/** Version of all that is said between peers; both ends must speak the same. */
export const PEER_PROTOCOL_VERSION = 3;

/** Payload of one frame. A heartbeat waits for one bulk frame at most, and for what is on its way. */
export const FRAME_BYTES_MAX = 256 << 10;
/**
 * A message, a call or an answer: the largest append, 32 MiB, half as much for the lengths of its
 * messages where these are the smallest there are, and what goes with it.
 */
export const MESSAGE_BYTES_MAX = 52 << 20;
/** What may wait in the bulk lane of one connection; with more, messages are dropped. */
export const BULK_QUEUED_BYTES_MAX = 64 << 20;
/** What may wait in the control lane of one connection; with more, messages are dropped. */
export const CONTROL_QUEUED_BYTES_MAX = 4 << 20;

/** Each end says what it has read once it is so much more than it has said last. */
export const REPORT_BYTES = 64 << 10;
/** Bulk that may be on its way on one connection, however slow it is: a frame, and what comes with it. */
export const WINDOW_BYTES_MIN = FRAME_BYTES_MAX + REPORT_BYTES;
/** The same on a fast one: 80 MB/s around the world. */
export const WINDOW_BYTES_MAX = 16 << 20;
/** What bulk on its way may add to the delay of a link: a heartbeat's interval. */
export const WINDOW_DELAY_MS_MAX = 100;

/** Calls of one connection without an answer; with more, a call is not sent. */
export const CALLS_PENDING_MAX = 65_536;
/** A call whose answer takes longer is taken for unanswered. */
export const CALL_MS_MAX = 30_000;

/** A hello: ids and numbers. The most that is kept of what a stranger says. */
export const HELLO_BYTES_MAX = 1 << 10;
/** An id or name within a hello. */
export const HELLO_TEXT_BYTES_MAX = 128;
/** Connecting takes no longer, and neither does the handshake after it. */
export const HANDSHAKE_MS_MAX = 2_000;
/** Connections that have not shown who they are; one more is closed at once. */
export const STRANGERS_MAX = 64;
/** Connections that peers have opened to one plane; one more is closed at once. */
export const GUESTS_MAX = 1_024;

/** How often each connection is looked after. */
export const TICK_MS = 250;
/** A connection from which nothing came for so many ticks is dropped: 2 s. */
export const SILENT_TICKS_MAX = 8;
/** A ping goes out at least every so many ticks, so that the wall clocks' offset stays fresh. */
export const PING_TICKS_MAX = 4;

/** Pause before the first new attempt to connect; it doubles with each that fails. */
export const BACKOFF_MS_MIN = 50;
/** Longest pause between two attempts. */
export const BACKOFF_MS_MAX = 1_000;
/** What is queued when a plane closes may take so long to leave. */
export const CLOSE_MS_MAX = 500;
