-- Appends of a fixed size, dealt out to many streams at random; every request is built beforehand.
-- wrk -s append.lua URL -- PREFIX STREAMS BYTES
local requests, count = {}, 0

function init(args)
  local prefix, streams, bytes = args[1], tonumber(args[2]), tonumber(args[3])
  local body = string.rep("x", bytes)
  local headers = { ["Content-Type"] = "text/plain" }
  for n = 0, streams - 1 do
    requests[n + 1] = wrk.format("POST", prefix .. "s" .. n, headers, body)
  end
  count = streams
  math.randomseed(1)
end

function request()
  return requests[math.random(count)]
end

-- One line of JSON for wrk.ts. Durations are in microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"failed":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
