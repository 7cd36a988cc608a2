-- Appends of a fixed size, dealt out to many streams at random; every request is built beforehand.
-- With ITEMS each request is a batch of so many, each with its length before it.
-- wrk -s append.lua URL -- PREFIX STREAMS BYTES [ITEMS]
local requests, count = {}, 0

local function uint32(n)
  return string.char(math.floor(n / 2^24) % 256, math.floor(n / 2^16) % 256,
    math.floor(n / 2^8) % 256, n % 256)
end

function init(args)
  local prefix, streams, bytes = args[1], tonumber(args[2]), tonumber(args[3])
  local body = string.rep("x", bytes)
  if args[4] then body = string.rep(uint32(bytes) .. body, tonumber(args[4])) end
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
