-- Says what became of a claimed event. Answers {event, tries} of the next one of its conversation where that is claimed now.
--
-- The claim of the next one has a token that only its owner knows to follow, so that one whose answer was lost is found again.
--
-- KEYS: index, outbox
-- ARGV: 1 webhook, 2 conversation, 3 event, 4 token, 5 token that follows, 6 lease ms, 7 'delivered', 'dropped', 'dead' or 'failed',
-- then of 'dead' 8 reason, 9 tries; of 'failed' 8 how long the conversation waits ms, 9 how long the webhook does ms, 10 streak
local box, conversation, event, lease_ms, what = outbox(ARGV[1], 1), ARGV[2], ARGV[3], ARGV[6], ARGV[7]
local token = token_of(box, conversation)

local function claim_next()
  local following, tries = take(box, conversation, ARGV[5], lease_ms)
  return following and {following, tries}
end

-- Lets go of the conversation, or has it wait for so long.
local function put_back(after_ms)
  if of_conversation(box, conversation, 1)[1] then
    release(box, conversation)
    redis.call('ZADD', box.due, digits(NOW + after_ms), conversation)
  else
    forget(box, conversation)
  end
end

local function fail()
  local tried = redis.call('ZSCORE', box.waiting, event)
  put_back(tonumber(ARGV[8]))
  if tried then redis.call('HINCRBY', box.notes, event, 1) end
  local state = redis.call('HMGET', box.state, 'since', 'paused')
  if ARGV[10] == '0' then
    redis.call('HDEL', box.state, 'streak', 'since')
  else
    redis.call('HSET', box.state, 'streak', ARGV[10], 'since', state[1] or digits(NOW))
  end
  if ARGV[9] ~= '0' then
    local paused = math.max(NOW + ARGV[9], tonumber(state[2] or 0))
    redis.call('HSET', box.state, 'paused', digits(paused))
  end
end

-- What is next of the conversation, unless the webhook is to be sent nothing now.
local function go_on()
  local state = redis.call('HMGET', box.state, 'paused', 'streak')
  local others = redis.call('ZCOUNT', box.claimed, '(' .. digits(NOW), '+inf') > 1
  if tonumber(state[1] or 0) > NOW or (state[2] and others) then
    put_back(0)
    return
  end
  return claim_next()
end

local answer
if token == ARGV[4] then
  if what == 'failed' then
    fail()
  else
    local waited = take_off(box, event)
    -- Where it failed so far, more may be claimed at once from here on.
    if what == 'delivered' and redis.call('HDEL', box.state, 'streak', 'since', 'paused') > 0 then
      redis.call('HDEL', box.state, 'full')
    end
    if what == 'dead' and waited then bury(box, event, ARGV[8], ARGV[9]) end
    answer = go_on()
  end
else
  if what == 'delivered' or what == 'dropped' then take_off(box, event) end
  if token == ARGV[5] and what ~= 'failed' then
    answer = claim_next()
  elseif not token and not of_conversation(box, conversation, 1)[1] then
    forget(box, conversation)
  end
end
enter(box)
return answer
