-- Part of the scripts of outboxes. First all that is read, then all that is written; and where a script makes room, the first of what
-- it writes takes something away, so that it runs in a Redis whose memory is full.
--
-- An outbox has six keys: `waiting`, a sorted set of its events, whose scores are all 0, so that they are in the order of their
-- bytes: conversation, NUL, place in the log; `due`, conversations by when they may be claimed, Unix ms, which for one that is
-- claimed is the end of its lease; `claimed`, conversations by the end of their lease; `notes`, a hash of the token of a claim by
-- conversation, and of how often sending has failed by event; `state`, a hash of `streak`, `since` and `paused` (Unix ms), and
-- `full` where as many are claimed as may be while others are due; `dead`, REASON:TRIES:EVENT by when it died, Unix microseconds.
-- The index has the tenant's outboxes by when there is something to do.
--
-- KEYS: 1 index of outboxes, then six of each outbox
local time = redis.call('TIME')
local NOW = time[1] * 1000 + math.floor(time[2] / 1000)
local NOW_US = time[1] * 1000000 + time[2]
local INDEX = KEYS[1]

local function digits(number) return string.format('%.0f', number) end

-- The outbox of a webhook whose keys are behind this one.
local function outbox(webhook, at)
  return {
    id = webhook, waiting = KEYS[at + 1], due = KEYS[at + 2], claimed = KEYS[at + 3], notes = KEYS[at + 4],
    state = KEYS[at + 5], dead = KEYS[at + 6]
  }
end

-- What waits of a conversation, the first so many.
local function of_conversation(box, conversation, most)
  return redis.call(
    'ZRANGEBYLEX', box.waiting, '[' .. conversation .. '\0', '(' .. conversation .. '\1', 'LIMIT', 0, most
  )
end

-- The token of a claim whose lease is not over, or nothing.
local function token_of(box, conversation)
  local lease = tonumber(redis.call('ZSCORE', box.claimed, conversation) or 0)
  return lease > NOW and redis.call('HGET', box.notes, conversation)
end

-- Takes an event off; whether it waited.
local function take_off(box, event)
  local waited = redis.call('ZREM', box.waiting, event) == 1
  redis.call('HDEL', box.notes, event)
  return waited
end

-- Ends the claim of a conversation, which makes room for another's.
local function release(box, conversation)
  redis.call('ZREM', box.claimed, conversation)
  redis.call('HDEL', box.notes, conversation)
  redis.call('HDEL', box.state, 'full')
end

-- Lets go of a conversation of which nothing waits.
local function forget(box, conversation)
  redis.call('ZREM', box.due, conversation)
  release(box, conversation)
end

-- Claims a conversation; answers its first event and how often sending that has failed, or nothing where nothing waits.
local function take(box, conversation, token, lease_ms)
  local event = of_conversation(box, conversation, 1)[1]
  if not event then
    forget(box, conversation)
    return
  end
  local until_ms = digits(NOW + lease_ms)
  redis.call('ZADD', box.due, until_ms, conversation)
  redis.call('ZADD', box.claimed, until_ms, conversation)
  redis.call('HSET', box.notes, conversation, token)
  return event, redis.call('HGET', box.notes, event) or '0'
end

-- Puts an event among the dead letters, of which the oldest make room.
local function bury(box, event, reason, tries)
  local newest = redis.call('ZRANGE', box.dead, -1, -1, 'WITHSCORES')[2]
  local at = math.max(NOW_US, tonumber(newest or 0) + 1)
  redis.call('ZADD', box.dead, 'NX', digits(at), reason .. ':' .. tries .. ':' .. event)
  redis.call('ZREMRANGEBYRANK', box.dead, 0, -1 - DEAD_LETTERS_MAX)
end

-- Enters in the index when there is something to do. Where as many are claimed as may be, that is when a lease ends: whoever asks what
-- is due would ask without end.
local function enter(box)
  local state = redis.call('HMGET', box.state, 'paused', 'full')
  local paused = tonumber(state[1] or 0)
  local at = tonumber(redis.call('ZRANGE', box.due, 0, 0, 'WITHSCORES')[2])
  if at then
    at = math.max(at, paused)
    if state[2] then at = math.max(at, tonumber(redis.call('ZRANGE', box.claimed, 0, 0, 'WITHSCORES')[2]) or 0) end
    at = digits(at)
  elseif redis.call('EXISTS', box.dead) == 1 then
    at = '+inf'
  elseif paused > NOW then
    at = digits(paused)
  else
    redis.call('UNLINK', box.state)
    redis.call('ZREM', INDEX, box.id)
    return
  end
  redis.call('ZADD', INDEX, at, box.id)
end
