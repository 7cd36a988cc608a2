-- Appends of a fixed size to the nodes of a cluster: a thread per node, which deals out its requests
-- at random to the streams that the node was given. Every request is built beforehand.
-- TARGETS='PORT=STREAM,STREAM,… PORT=…' wrk -t<nodes> -s append_nodes.lua URL -- PREFIX BYTES
local requests, count = {}, 0
local targets = {}
for port, streams in string.gmatch(os.getenv("TARGETS"), "(%d+)=([%d,]+)") do
  targets[#targets + 1] = { port = port, streams = streams }
end
local set_up = 0

function setup(thread)
  set_up = set_up + 1
  local target = targets[set_up]
  thread.addr = wrk.lookup("127.0.0.1", target.port)[1]
  thread:set("streams", target.streams)
  thread:set("seed", set_up)
end

function init(args)
  local prefix, bytes = args[1], tonumber(args[2])
  local body = string.rep("x", bytes)
  local headers = { ["Content-Type"] = "text/plain" }
  for n in string.gmatch(streams, "%d+") do
    count = count + 1
    requests[count] = wrk.format("POST", prefix .. "s" .. n, headers, body)
  end
  math.randomseed(seed)
end

function request()
  return requests[math.random(count)]
end

-- One line of JSON for run.ts. Durations are in microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"failed":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
