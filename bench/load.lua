-- For wrk (which asks for one request that it never sends, so that number 0 is never drawn): sends the template's request with a number in its place; tells the result as one line of JSON.
-- Arguments: the template's file, how many numbers there are to draw from (0: count upwards), the first number.

local place = "@@@@@@@@@@"
local head, tail, numbers, number

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local template = file:read("*a")
  file:close()
  local from, to = string.find(template, place, 1, true)
  if from then
    head, tail = string.sub(template, 1, from - 1), string.sub(template, to + 1)
  else
    head = template
  end
  numbers, number = tonumber(arguments[2]), tonumber(arguments[3])
  math.randomseed(number + 1)
end

function request()
  if not tail then
    return head
  end
  local chosen = number
  if numbers > 0 then
    chosen = math.random(1, numbers)
  else
    number = number + 1
  end
  return head .. string.format("%010d", chosen) .. tail
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %f, "errors": %d, "p50_ms": %f, "p99_ms": %f}\n',
    summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
