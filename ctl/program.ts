import { Command, CommanderError, Option } from "commander";
import manifest from "../deno.json" with { type: "json" };
import { type CommonOptions, Context } from "./context.ts";
import { BrokenPipe, Failure, messageOf } from "./failure.ts";
import type { Machine } from "./machine.ts";
import {
  parseCount,
  parseDuration,
  parseGroups,
  parseNodeId,
  parseNodeIds,
  parseTexts,
} from "./options.ts";
import { addLearner } from "./verbs/add_learner.ts";
import { append } from "./verbs/append.ts";
import { cat } from "./verbs/cat.ts";
import { drain } from "./verbs/drain.ts";
import { flushCold } from "./verbs/flush_cold.ts";
import { ls } from "./verbs/ls.ts";
import { purge } from "./verbs/purge.ts";
import { replaceNode } from "./verbs/replace_node.ts";
import { restart } from "./verbs/restart.ts";
import { setVoters } from "./verbs/set_voters.ts";
import { snapshot } from "./verbs/snapshot.ts";
import { status } from "./verbs/status.ts";
import { tail } from "./verbs/tail.ts";
import { transfer } from "./verbs/transfer.ts";
import { undrain } from "./verbs/undrain.ts";
import { wait } from "./verbs/wait.ts";
import { waitReady } from "./verbs/wait_ready.ts";

/** Exit code of whatever is neither done nor aborted safely. */
const EXIT_FAILED = 1;

const encoder = new TextEncoder();

/** Runs one command line, and answers the program's exit code. */
export async function run(args: readonly string[], machine: Machine): Promise<number> {
  const opened: { verb: string; context: Context }[] = [];
  const program = buildProgram((options, verb) => {
    const context = new Context(machine, options);
    opened.push({ verb, context });
    return context;
  });
  const help: string[] = [];
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void help.push(text),
      writeErr: (text) => void help.push(text),
      // What is wrong is said below, in one line.
      outputError: () => {},
    });
  }
  let exitCode = 0;
  let complaint: string | undefined;
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof BrokenPipe) return 0;
    if (error instanceof CommanderError) {
      exitCode = error.exitCode === 0 ? 0 : EXIT_FAILED;
      if (exitCode !== 0 && help.length === 0) complaint = `usage: ${plainly(error)}`;
    } else {
      exitCode = error instanceof Failure ? error.exitCode : EXIT_FAILED;
      const word = error instanceof Failure ? error.word : "failed";
      complaint = `${opened[0]?.verb}: ${word}: ${messageOf(error)}`;
    }
  }
  for (const { context } of opened) await context.screen.settle();
  const { stdout, stderr } = machine;
  try {
    for (const text of help) await (exitCode === 0 ? stdout : stderr).write(encoder.encode(text));
    if (complaint !== undefined) await stderr.write(encoder.encode(`ursulactl: ${complaint}\n`));
  } catch (error) {
    if (!(error instanceof BrokenPipe)) throw error;
  }
  return exitCode;
}

/** What commander complains of. */
function plainly(error: CommanderError): string {
  return messageOf(error).replace(/^error: /, "");
}

/** The command line: every verb with its arguments and options. */
export function buildProgram(
  open: (options: CommonOptions, verb: string) => Context,
): Command {
  const program = new Command("ursulactl")
    .description("Looks after a cluster of Ursula, and reads and writes its streams.")
    .version(`ursulactl ${manifest.version}`, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .option("--config <file>", "manifest of the cluster, JSON; - reads standard input")
    .option(
      "--url <url>",
      "client plane of a node, in place of a manifest; repeatable (default: http://127.0.0.1:4437)",
      parseTexts,
    )
    .option("--token <token>", "bearer token, where the planes ask for one (env: URSULA_TOKEN)")
    .option("--json", "print JSON")
    .configureHelp({ helpWidth: 100, showGlobalOptions: true })
    .showSuggestionAfterError();

  /** A verb whose action gets the context, its arguments, and its options. */
  function verb<A extends unknown[]>(
    synopsis: string,
    description: string,
    options: readonly Option[],
    act: (context: Context, ...rest: A) => Promise<void>,
  ): void {
    const command = program.command(synopsis).description(description);
    for (const option of options) command.addOption(option);
    command.action(async (...given: unknown[]) => {
      // Commander hands over the arguments, the options and the command, in this order.
      const rest = given.slice(0, -1) as A;
      await act(open(program.opts(), command.name()), ...rest);
    });
  }

  verb("status", "a line for each node, whether it answers or not", [], status);
  verb("wait-ready", "wait until every node is ready, and has all groups, each with a leader", [
    flag("--expected-groups <n>", "groups of every node (default: those of the one with most)")
      .argParser(parseCount),
    flag("--timeout <s>", "give up after so long").argParser(parseDuration).default(60_000, "60s"),
  ], waitReady);
  verb("drain", "move a node's leaderships away, and keep them away", [NODE, DRY_RUN], drain);
  verb("undrain", "let a node lead again", [NODE, DRY_RUN], undrain);
  verb("wait", "wait until a node votes in every group and has caught up", [
    NODE,
    LAG_TOLERANCE(100),
    PROGRESS_TIMEOUT(60),
  ], wait);
  verb("restart", "restart all nodes, one after the other, without a client noticing", [
    flag("--restart-cmd <cmd>", "restarts a node; {node_id}, {host} and {http_url} are filled in")
      .makeOptionMandatory(),
    flag("--nodes <ids>", "only these, in this order").argParser(parseNodeIds),
    LAG_TOLERANCE(1_000),
    PROGRESS_TIMEOUT(300),
    DRY_RUN,
  ], restart);
  verb("replace-node", "give a node's place to the empty one that runs under its address", [
    NODE,
    PROGRESS_TIMEOUT(300),
    DRY_RUN,
  ], replaceNode);
  verb("transfer", "have a node lead groups", [NODE, ...GROUPS, DRY_RUN], transfer);
  verb("add-learner", "give a node replicas of groups, without a vote", [
    NODE,
    ...GROUPS,
    DRY_RUN,
  ], addLearner);
  verb("set-voters", "have these nodes vote, and no others, in all groups", [
    flag("--voters <ids>", "such as 1,2,3").argParser(parseNodeIds).makeOptionMandatory(),
    flag("--group <g>", "only this group; repeatable").argParser(parseGroups),
    PROGRESS_TIMEOUT(300),
    DRY_RUN,
  ], setVoters);
  verb("snapshot", "have replicas take a RaftSnapshot", [ONE_NODE, ...GROUPS, DRY_RUN], snapshot);
  verb("purge", "have replicas drop log entries that their RaftSnapshots cover", [
    ONE_NODE,
    ...GROUPS,
    DRY_RUN,
  ], purge);
  verb("flush-cold [streams...]", "have what streams hold in memory moved to the cold store", [
    flag("--all", "every stream of every bucket"),
    DRY_RUN,
  ], flushCold);
  verb("tail <stream>", "print a stream as it grows, until it is closed or Ctrl-C", [
    FROM("now"),
  ], tail);
  verb("append <stream>", "append standard input to a stream", [
    flag("--lines", "a message for each line, instead of one for all"),
    flag("--batch", "with --lines: faster, and stops where an answer is missing"),
    flag("--create", "create the stream where there is none"),
    flag("--content-type <type>", "the stream's, when it is created"),
    DRY_RUN,
  ], append);
  verb("cat <stream>", "print a stream up to its tail", [FROM("beginning")], cat);
  verb(
    "ls [place]",
    "list buckets, or the streams of one: /demo, or /demo/se… those that begin so",
    [
      flag("-l, --long", "with status, tail, last write and type"),
    ],
    ls,
  );
  return program;
}

function flag(flags: string, description: string): Option {
  return new Option(flags, description);
}

const NODE = flag("--node <n>", "the node's id").argParser(parseNodeId).makeOptionMandatory();
const ONE_NODE = flag("--node <n>", "only this node's replicas").argParser(parseNodeId);
const DRY_RUN = flag("--dry-run", "say what would be done, and do nothing");
const GROUPS: readonly Option[] = [
  flag("--group <g>", "this group; repeatable").argParser(parseGroups),
  flag("--all", "all groups"),
];

function LAG_TOLERANCE(entries: number): Option {
  return flag("--lag-tolerance <n>", "entries that a node may lack of a group")
    .argParser(parseCount).default(entries);
}

function PROGRESS_TIMEOUT(seconds: number): Option {
  return flag("--timeout <s>", "give up after so long without progress")
    .argParser(parseDuration).default(seconds * 1_000, `${seconds}s`);
}

function FROM(place: string): Option {
  return flag("--from <place>", "beginning, now or an offset").default(place);
}
