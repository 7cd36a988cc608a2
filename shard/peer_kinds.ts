/** Kinds of messages between nodes: part of the protocol, never reused. */
export const PEER_KINDS = {
  /** Raft messages of many groups. */
  RAFT: 1,
  /** Call: a piece of a RaftSnapshot. */
  SNAPSHOT: 2,
  /** Call: a command for a group that the receiver leads. */
  SUBMIT: 3,
  /** Call: a question for a group that the receiver leads. */
  SURVEY: 4,
  /** Call: how the cluster forms. */
  FORMATION: 5,
  /** Call: a part of an object, or a question about objects. */
  COLD: 6,
} as const;
